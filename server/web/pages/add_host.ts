import { AddHostPage, type AddHostProps } from "../../../templates/hosts/add.tsx";
import { AddHostDonePage } from "../../../templates/hosts/add_done.tsx";
import type { RepositoryChoiceValues } from "../../../templates/repositories/choice.tsx";
import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import { missingFiles } from "../../downloads/files.ts";
import { createEnrolmentToken, EnrolmentWish } from "../../enrolment/create_token.ts";
import { hasOpenToken } from "../../hosts/names.ts";
import { joinCommands } from "../../enrolment/join_commands.ts";
import { listRepositories, someRepositories } from "../../repositories/find.ts";
import { warningFlash } from "../../repositories/secret_warnings.ts";
import type { Server } from "../../server.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, type Form, linesOf, readForm, tagsOf } from "./form.ts";
import { frameOf, isAdmin, show } from "./page.ts";
import { connectionValues, connectionWish } from "./repositories.ts";

export const addHostRoutes: Route[] = [
  { method: "GET", path: "/hosts/new", role: "operator", handler: showForm },
  { method: "POST", path: "/hosts/new", role: "operator", handler: add },
];

async function showForm(server: Server, c: Ctx): Promise<Response> {
  const repositories = await repositoryChoices(server, c);
  return show(
    c,
    AddHostPage({
      frame: await frameOf(server, c),
      values: {
        hostname: "",
        replace_open: false,
        tags: "",
        initial_paths: "",
        may_hold_admin_credential: false,
        repository_choice: repositories.length > 0 ? "existing" : "new",
        repository_id: repositories[0]?.id ?? "",
        repository: NO_CONNECTION,
      },
      errors: {},
      repositories,
      announceCommands: joinCommands(c.get("baseUrl")),
      mayName: isAdmin(c),
    }),
  );
}

async function add(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const value = {
    hostname: form.text("hostname"),
    tags: tagsOf(form.text("tags")),
    initial_paths: linesOf(form.text("initial_paths")),
    replace_open: form.ticked("replace_open"),
    may_hold_admin_credential: form.ticked("may_hold_admin_credential"),
    ...wishedChoice(form),
  };
  const { done, errors } = await attempt(
    EnrolmentWish,
    value,
    (wish) => createEnrolmentToken(server, actorOf(c), wish),
  );
  const frame = await frameOf(server, c);
  if (errors) {
    const page = AddHostPage({
      frame,
      values: typed(form),
      errors,
      mayReplace: errors.hostname !== undefined && await hasOpenToken(server, value.hostname),
      repositories: await repositoryChoices(server, c),
      announceCommands: joinCommands(c.get("baseUrl")),
      mayName: isAdmin(c),
    });
    return show(c, page, 422);
  }
  // Not a redirect: the command is in this one answer and nowhere else.
  const page = AddHostDonePage({
    frame: done.warnings.length > 0 ? { ...frame, flash: warningFlash("", done.warnings) } : frame,
    hostname: value.hostname.trim(),
    tokenId: done.id,
    commands: joinCommands(c.get("baseUrl"), done.token),
    expiresAt: done.expires_at,
    generatedPassword: done.repository_password,
    missing: await missingFiles(server),
    joined: null,
  });
  return show(c, page, 201);
}

function typed(form: Form): AddHostProps["values"] {
  return {
    hostname: form.text("hostname"),
    replace_open: form.ticked("replace_open"),
    tags: form.text("tags"),
    initial_paths: form.text("initial_paths"),
    may_hold_admin_credential: form.ticked("may_hold_admin_credential"),
    ...typedChoice(form),
  };
}

/** The fields of templates/repositories/choice.tsx, as a body of the API has them. */
export function wishedChoice(form: Form) {
  return form.text("repository_choice") === "existing"
    ? { repository_id: form.text("repository_id") || null }
    : { repository: connectionWish(form, "repository.") };
}

/** The same fields, as they were typed. */
export function typedChoice(form: Form): RepositoryChoiceValues {
  return {
    repository_choice: form.text("repository_choice") === "existing" ? "existing" : "new",
    repository_id: form.text("repository_id"),
    repository: connectionValues(form, "repository."),
  };
}

/** For a choice: the first few hundred by name; for operators those that are open to them, and of `also` all. */
export async function repositoryChoices(server: Server, c: Ctx, also: string[] = []) {
  const { items } = await listRepositories(server, {
    limit: 200,
    cursor: null,
    isOpen: !isAdmin(c),
  });
  const missing = also.filter((id) => !items.some((each) => each.id === id));
  return [...items, ...await someRepositories(server, missing)].map((
    { id, name, url },
  ) => ({ id, name, url }));
}
