import { AddHostPage, type AddHostProps } from "../../../templates/hosts/add.tsx";
import { AddHostDonePage } from "../../../templates/hosts/add_done.tsx";
import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import { missingFiles } from "../../downloads/files.ts";
import { createEnrolmentToken, EnrolmentInput } from "../../enrolment/create_token.ts";
import { hasOpenToken } from "../../hosts/names.ts";
import { joinCommands } from "../../enrolment/join_commands.ts";
import { warningFlash } from "../../repositories/secret_warnings.ts";
import type { Server } from "../../server.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, type Form, linesOf, readForm, tagsOf } from "./form.ts";
import { frameOf, isAdmin, show } from "./page.ts";
import { choiceInput, repositoryChoices, typedChoice } from "./repository_choice.ts";

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
    ...choiceInput(form),
  };
  const { done, errors } = await attempt(
    EnrolmentInput,
    value,
    (input) => createEnrolmentToken(server, actorOf(c), input),
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
    expires_at: done.expires_at,
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
