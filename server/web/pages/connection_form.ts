// The connection fields of a repository in a form: what they say, and what they show again.
import type { ConnectionValues } from "../../../templates/repositories/connection_fields.tsx";
import { type Form, linesOf } from "./form.ts";
import type { Repository } from "../../../shared/shapes/repository.ts";

/** What the connection fields say, as the API's schemas read it. Blank secrets are left out: they stay, or are made. */
export function connectionInput(form: Form, prefix: string) {
  const text = (name: string) => form.text(`${prefix}${name}`);
  return {
    name: text("name"),
    url: text("url"),
    username: text("username").trim(),
    append_only: form.ticked(`${prefix}append_only`),
    ...(form.has(`${prefix}has_open_to_operators`)
      ? { open_to_operators: form.ticked(`${prefix}open_to_operators`) }
      : {}),
    is_new: text("is_new") !== "false",
    ...(text("password") ? { password: text("password") } : {}),
    ...(text("rest_password") ? { rest_password: text("rest_password") } : {}),
    environment: environmentOf(form, prefix),
    ...(form.has(`${prefix}certificate_authority`)
      ? {
        certificate_authority: text("certificate_authority").trim() || null,
        options: optionsOf(text("options")),
      }
      : {}),
  };
}

/** One name=value a line; what is no such line is refused as the name of an option. */
function optionsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/** A name without a value keeps the value that is stored. */
function environmentOf(form: Form, prefix: string): Record<string, string | null> {
  const values = form.all(`${prefix}environment_value`);
  return Object.fromEntries(
    form.all(`${prefix}environment_name`).map((
      name,
      i,
    ): [string, string | null] => [name, values[i] || null]).filter(([name]) => name !== ""),
  );
}

/** What was typed, to be shown again; never a secret. */
export function connectionValues(
  form: Form,
  prefix: string,
  stored: string[] = [],
): ConnectionValues {
  const input = connectionInput(form, prefix);
  return {
    name: input.name,
    url: input.url,
    username: input.username,
    is_new: input.is_new,
    append_only: input.append_only,
    environment: Object.keys(input.environment).map((name) => ({
      name,
      isSet: stored.includes(name),
    })),
    certificate_authority: form.text(`${prefix}certificate_authority`),
    options: form.text(`${prefix}options`),
    open_to_operators: form.ticked(`${prefix}open_to_operators`),
  };
}

export function storedValues(found: Repository): ConnectionValues {
  return {
    name: found.name,
    url: found.url,
    username: found.username ?? "",
    is_new: found.is_new,
    append_only: found.append_only,
    environment: found.environment_names.map((name) => ({ name, isSet: true })),
    certificate_authority: found.certificate_authority ?? "",
    options: Object.entries(found.options).map(([name, value]) => `${name}=${value}`).join("\n"),
    open_to_operators: found.open_to_operators,
  };
}
