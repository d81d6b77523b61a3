// A form that is made from a schema: the names of its inputs, what was typed into them, and the value that is read from that. The
// fields of a record are in the form under their own names.
import type { z } from "zod";
import { fieldKind, recordFields, takesNull } from "../../../shared/field_kind.ts";
import type { Errors } from "../../../templates/parts/field.tsx";
import type { FormValues } from "../../../templates/parts/form_values.ts";
import { type Form, linesOf, numberOf } from "./form.ts";

type Fields = z.ZodObject<z.ZodRawShape>;

/** All of it as typed; "" for an input that was not sent. */
export function typedValues<S extends Fields>(schema: S, form: Form): FormValues<z.output<S>> {
  const values = inputs(schema).map(([name]) => [name, form.text(name)]);
  return Object.fromEntries(values) as FormValues<z.output<S>>;
}

/** As a form shows the value that is stored. */
export function formValues<S extends Fields>(
  schema: S,
  value: z.output<S>,
): FormValues<z.output<S>> {
  const given = value as Record<string, unknown>;
  const values = Object.entries(schema.shape as Record<string, z.ZodType>).flatMap((
    [name, field],
  ) =>
    fieldKind(field) === "record"
      ? Object.entries(recordFields(field)).map(([inner, one]) => [
        inner,
        asText(one, (given[name] as Record<string, unknown> | undefined)?.[inner]),
      ])
      : [[name, asText(field, given[name])]]
  );
  return Object.fromEntries(values) as FormValues<z.output<S>>;
}

/** What the schema is to read: blank is null where that is a value, and absent elsewhere. */
export function formInput<S extends Fields>(
  schema: S,
  values: FormValues<z.output<S>>,
): Record<string, unknown> {
  const typed = values as Record<string, string>;
  return withoutAbsent(
    schema.shape as Record<string, z.ZodType>,
    (name, field) =>
      fieldKind(field) === "record"
        ? withoutAbsent(recordFields(field), (inner, one) => fromText(one, typed[inner]!))
        : fromText(field, typed[name]!),
  );
}

function withoutAbsent(
  fields: Record<string, z.ZodType>,
  read: (name: string, field: z.ZodType) => unknown,
): Record<string, unknown> {
  const values = Object.entries(fields).map(([name, field]) => [name, read(name, field)]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** "retention.keep_last must be …" is under the input keep_last. */
export function formErrors(schema: Fields, errors: Errors): Errors {
  const records = Object.entries(schema.shape as Record<string, z.ZodType>)
    .filter(([, field]) => fieldKind(field) === "record").map(([name]) => `${name}.`);
  const bare = (text: string) =>
    records.reduce((rest, name) => rest.startsWith(name) ? rest.slice(name.length) : rest, text);
  return Object.fromEntries(
    Object.entries(errors).map(([field, message]) => [bare(field), message && bare(message)]),
  );
}

function inputs(schema: Fields): [name: string, field: z.ZodType][] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, field]) =>
    fieldKind(field) === "record" ? Object.entries(recordFields(field)) : [[name, field]]
  );
}

function asText(field: z.ZodType, value: unknown): string {
  switch (fieldKind(field)) {
    case "flag":
      return value ? "on" : "";
    case "lines":
      return (value as string[]).join("\n");
    default:
      return String(value ?? "");
  }
}

function fromText(field: z.ZodType, text: string): unknown {
  switch (fieldKind(field)) {
    case "flag":
      return text === "on";
    case "lines":
      return linesOf(text);
    case "number":
      return numberOf(text) ?? (takesNull(field) ? null : undefined);
    default:
      return text.trim() || blankOf(field, text);
  }
}

/** What must not be blank is refused in its own words. */
function blankOf(field: z.ZodType, text: string): unknown {
  if (takesNull(field)) return null;
  return field.safeParse(undefined).success ? undefined : text;
}
