import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import { RepositoryFormPage } from "../../../templates/repositories/form.tsx";
import { RepositoryListPage } from "../../../templates/repositories/list.tsx";
import { answerResticId, ResticIdAnswer } from "../../repositories/answer_id.ts";
import { changeRepository } from "../../repositories/change.ts";
import { createRepository } from "../../repositories/create.ts";
import { ChangedRepository, NewRepository } from "../../repositories/fields.ts";
import { getRepository, listRepositories } from "../../repositories/find.ts";
import { removeRepository } from "../../repositories/remove.ts";
import { warningFlash } from "../../repositories/secret_warnings.ts";
import type { Server } from "../../server.ts";
import { pathId, readPage } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, attemptTo, readForm } from "./form.ts";
import { frameOf, goTo, isAdmin, show } from "./page.ts";
import { connectionInput, connectionValues, storedValues } from "./connection_form.ts";
import { showRepository } from "./show_repository.ts";

export const repositoryPageRoutes: Route[] = [
  { method: "GET", path: "/repositories", role: "operator", handler: list },
  { method: "GET", path: "/repositories/new", role: "operator", handler: showNew },
  { method: "POST", path: "/repositories/new", role: "operator", handler: create },
  {
    method: "GET",
    path: "/repositories/:id",
    role: "operator",
    handler: (server, c) => showRepository(server, c),
  },
  { method: "GET", path: "/repositories/:id/edit", role: "operator", handler: showEdit },
  { method: "POST", path: "/repositories/:id/edit", role: "operator", handler: change },
  { method: "POST", path: "/repositories/:id/restic-id", role: "admin", handler: answerId },
  {
    method: "POST",
    path: "/repositories/:id/delete",
    whenFull: true,
    role: "operator",
    handler: remove,
  },
];

async function list(server: Server, c: Ctx): Promise<Response> {
  const { items, next_cursor } = await listRepositories(server, readPage(c, 50));
  return show(
    c,
    RepositoryListPage({
      frame: await frameOf(server, c),
      repositories: items,
      nextCursor: next_cursor,
      isFirstPage: !c.req.query("cursor"),
      mayAdd: true,
    }),
  );
}

async function showNew(server: Server, c: Ctx): Promise<Response> {
  return show(
    c,
    RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: null,
      values: NO_CONNECTION,
      errors: {},
      isAdmin: isAdmin(c),
    }),
  );
}

async function create(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const { done, errors } = await attempt(
    NewRepository,
    connectionInput(form, ""),
    (input) => createRepository(server, actorOf(c), input),
  );
  if (errors) {
    const page = RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: null,
      values: connectionValues(form, ""),
      errors,
      isAdmin: isAdmin(c),
    });
    return show(c, page, 422);
  }
  const { id, generatedPassword, warnings } = done;
  // Not a redirect: a password that was made here is in this one answer and nowhere else.
  if (generatedPassword) {
    const flash = warnings.length > 0 ? { flash: warningFlash("", warnings) } : {};
    const frame = { ...await frameOf(server, c), ...flash };
    return showRepository(server, c, { frame, generatedPassword }, { id, status: 201 });
  }
  return goTo(c, `/repositories/${id}`, warningFlash("The repository is added.", warnings));
}

async function showEdit(server: Server, c: Ctx): Promise<Response> {
  const found = await getRepository(server, pathId(c, "id"));
  return show(
    c,
    RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: found,
      values: storedValues(found),
      errors: {},
      isAdmin: isAdmin(c),
    }),
  );
}

async function change(server: Server, c: Ctx): Promise<Response> {
  const found = await getRepository(server, pathId(c, "id"));
  const form = await readForm(c);
  const { is_new: _, ...input } = connectionInput(form, "");
  const { done: warnings, errors } = await attempt(
    ChangedRepository,
    input,
    (input) => changeRepository(server, actorOf(c), found.id, input),
  );
  if (errors) {
    const page = RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: found,
      values: connectionValues(form, "", found.environment_names),
      errors,
      isAdmin: isAdmin(c),
    });
    return show(c, page, 422);
  }
  const saved = "The changes are saved, and hosts that are online know them already.";
  return goTo(c, `/repositories/${found.id}`, warningFlash(saved, warnings));
}

async function answerId(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const { errors } = await attempt(
    ResticIdAnswer,
    { restic_id: form.text("restic_id"), host_id: form.text("host_id") || null },
    (answer) => answerResticId(server, actorOf(c), id, answer),
  );
  if (errors) return await showRepository(server, c, { answerErrors: errors }, { status: 409 });
  return goTo(c, `/repositories/${id}`, { text: "Noted. What waited for it goes on." });
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const found = await getRepository(server, pathId(c, "id"));
  const confirmed = (await readForm(c)).text("confirm_name").trim();
  if (confirmed !== found.name) {
    const errors = { confirm_name: `confirm_name must be the name of the repository.` };
    return await showRepository(server, c, { errors }, { status: 422 });
  }
  const { errors } = await attemptTo(() => removeRepository(server, actorOf(c), found.id));
  if (errors) return await showRepository(server, c, { errors }, { status: 409 });
  return goTo(c, "/repositories", { text: `${found.name} is removed from here.` });
}
