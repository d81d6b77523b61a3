import {
  type ConnectionValues,
  NO_CONNECTION,
} from "../../../templates/repositories/connection_fields.tsx";
import { RepositoryFormPage } from "../../../templates/repositories/form.tsx";
import { RepositoryListPage } from "../../../templates/repositories/list.tsx";
import {
  RepositoryPage,
  type RepositoryPageProps,
  type RepositoryView,
} from "../../../templates/repositories/page.tsx";
import type { UpkeepProps } from "../../../templates/repositories/upkeep.tsx";
import { allHosts } from "../../hosts/find.ts";
import { answerResticId, ResticIdAnswer } from "../../repositories/answer_id.ts";
import { changeRepository } from "../../repositories/change.ts";
import { createRepository } from "../../repositories/create.ts";
import { ChangedRepository, NewRepository } from "../../repositories/fields.ts";
import { getRepository, listRepositories, type Repository } from "../../repositories/find.ts";
import { removeRepository } from "../../repositories/remove.ts";
import { warningFlash } from "../../repositories/secret_warnings.ts";
import type { Server } from "../../server.ts";
import { pathId, readPage } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, attemptTo, type Form, linesOf, readForm } from "./form.ts";
import { frameOf, goTo, isAdmin, mayRun, show } from "./page.ts";
import { ungovernedProps } from "./ungoverned.ts";
import { upkeepProps } from "./upkeep.ts";

export const repositoryPageRoutes: Route[] = [
  { method: "GET", path: "/repositories", role: "operator", handler: list },
  { method: "GET", path: "/repositories/new", role: "operator", handler: showNew },
  { method: "POST", path: "/repositories/new", role: "operator", handler: create },
  {
    method: "GET",
    path: "/repositories/:id",
    role: "operator",
    handler: (server, c) => showOne(server, c),
  },
  { method: "GET", path: "/repositories/:id/edit", role: "operator", handler: showEdit },
  { method: "POST", path: "/repositories/:id/edit", role: "operator", handler: change },
  { method: "POST", path: "/repositories/:id/restic-id", role: "admin", handler: answerId },
  { method: "POST", path: "/repositories/:id/delete", role: "operator", handler: remove },
];

/** Of a repository that many share. */
const HOSTS_SHOWN = 100;

async function list(server: Server, c: Ctx): Promise<Response> {
  const { items, next_cursor } = await listRepositories(server, readPage(c, 50));
  return show(
    c,
    RepositoryListPage({
      frame: await frameOf(server, c),
      repositories: items.map((each) => ({
        id: each.id,
        name: each.name,
        url: each.url,
        initialisedAt: each.initialised_at,
        hosts: each.hosts.length,
        sizeBytes: each.total_size,
        sizeAt: each.stats_at,
        isAppendOnly: each.append_only,
      })),
      nextCursor: next_cursor,
      isFirstPage: !c.req.query("cursor"),
      mayAdd: true,
    }),
  );
}

export async function repositoryView(server: Server, id: string): Promise<RepositoryView> {
  const found = await getRepository(server, id);
  const hosts = found.hosts.length === 0
    ? []
    : (await allHosts(server)).filter((host) => host.repository_id === id)
      .sort((a, b) => b.urgency - a.urgency || (a.name < b.name ? -1 : 1));
  return {
    id,
    name: found.name,
    url: found.url,
    username: found.username,
    isPasswordSet: found.password_set,
    isRestPasswordSet: found.rest_password_set,
    environmentNames: found.environment_names,
    isAppendOnly: found.append_only,
    isOpenToOperators: found.open_to_operators,
    initialisedAt: found.initialised_at,
    isNew: found.is_new,
    sizeBytes: found.total_size,
    sizeAt: found.stats_at,
    createdAt: found.created_at,
    places: found.restic_ids.map(({ host_id, restic_id, changed }) => ({
      hostId: host_id,
      hostName: found.hosts.find((host) => host.id === host_id)?.name ?? null,
      resticId: restic_id,
      changed: changed && {
        resticId: changed.restic_id,
        hostId: changed.host_id,
        hostName: changed.host_name,
        at: changed.at,
      },
    })),
    sameAs: found.same_as,
    hostCount: hosts.length,
    hosts: hosts.slice(0, HOSTS_SHOWN).map(({ id, name, state, last_success_at }) => ({
      id,
      name,
      state,
      lastSuccessAt: last_success_at,
    })),
  };
}

async function showOne(
  server: Server,
  c: Ctx,
  id = pathId(c, "id"),
  changes: Partial<RepositoryPageProps> = {},
  status = 200,
): Promise<Response> {
  const repository = await repositoryView(server, id);
  const mayChange = isAdmin(c) || (mayRun(c) && repository.isOpenToOperators);
  return show(
    c,
    RepositoryPage({
      frame: await frameOf(server, c),
      repository,
      mayChange,
      mayDelete: mayChange,
      errors: {},
      mayAnswer: isAdmin(c),
      upkeep: await upkeepProps(server, c, id),
      ungoverned: await ungovernedProps(server, c, id),
      ...changes,
    }),
    status,
  );
}

/** The page again, with what was typed into one of its upkeep forms. */
export async function showRepository(
  server: Server,
  c: Ctx,
  id: string,
  upkeep: Partial<UpkeepProps>,
): Promise<Response> {
  const props = { ...await upkeepProps(server, c, id), ...upkeep };
  return await showOne(server, c, id, { upkeep: props }, 422);
}

async function showNew(server: Server, c: Ctx): Promise<Response> {
  return show(
    c,
    RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: null,
      values: NO_CONNECTION,
      errors: {},
      isPasswordSet: false,
      isRestPasswordSet: false,
      isAdmin: isAdmin(c),
    }),
  );
}

async function create(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const { done, errors } = await attempt(
    NewRepository,
    connectionWish(form, ""),
    (wish) => createRepository(server, actorOf(c), wish),
  );
  if (errors) {
    const page = RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: null,
      values: connectionValues(form, ""),
      errors,
      isPasswordSet: false,
      isRestPasswordSet: false,
      isAdmin: isAdmin(c),
    });
    return show(c, page, 422);
  }
  const { id, generatedPassword, warnings } = done;
  // Not a redirect: a password that was made here is in this one answer and nowhere else.
  if (generatedPassword) {
    const flash = warnings.length > 0 ? { flash: warningFlash("", warnings) } : {};
    const frame = { ...await frameOf(server, c), ...flash };
    return showOne(server, c, id, { frame, generatedPassword }, 201);
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
      isPasswordSet: found.password_set,
      isRestPasswordSet: found.rest_password_set,
      isAdmin: isAdmin(c),
    }),
  );
}

async function change(server: Server, c: Ctx): Promise<Response> {
  const found = await getRepository(server, pathId(c, "id"));
  const form = await readForm(c);
  const { is_new: _, ...wish } = connectionWish(form, "");
  const { done: warnings, errors } = await attempt(
    ChangedRepository,
    wish,
    (wish) => changeRepository(server, actorOf(c), found.id, wish),
  );
  if (errors) {
    const page = RepositoryFormPage({
      frame: await frameOf(server, c),
      repository: found,
      values: connectionValues(form, "", found.environment_names),
      errors,
      isPasswordSet: found.password_set,
      isRestPasswordSet: found.rest_password_set,
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
  if (errors) return await showOne(server, c, id, { answerErrors: errors }, 409);
  return goTo(c, `/repositories/${id}`, { text: "Noted. What waited for it goes on." });
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const found = await getRepository(server, pathId(c, "id"));
  const confirmed = (await readForm(c)).text("confirm_name").trim();
  if (confirmed !== found.name) {
    const errors = { confirm_name: `confirm_name must be the name of the repository.` };
    return await showOne(server, c, found.id, { errors }, 422);
  }
  const { errors } = await attemptTo(() => removeRepository(server, actorOf(c), found.id));
  if (errors) return await showOne(server, c, found.id, { errors }, 409);
  return goTo(c, "/repositories", { text: `${found.name} is removed from here.` });
}

/** What the connection fields say, as the API's schemas read it. Blank secrets are left out: they stay, or are made. */
export function connectionWish(form: Form, prefix: string) {
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
  const wish = connectionWish(form, prefix);
  return {
    name: wish.name,
    url: wish.url,
    username: wish.username,
    is_new: wish.is_new,
    append_only: wish.append_only,
    environment: Object.keys(wish.environment).map((name) => ({
      name,
      isSet: stored.includes(name),
    })),
    certificate_authority: form.text(`${prefix}certificate_authority`),
    options: form.text(`${prefix}options`),
    open_to_operators: form.ticked(`${prefix}open_to_operators`),
  };
}

function storedValues(found: Repository): ConnectionValues {
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
