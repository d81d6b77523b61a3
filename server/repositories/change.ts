import type { Selectable, Transaction, Updateable } from "kysely";
import { isDeepStrictEqual } from "node:util";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { change } from "../change.ts";
import type { RepositoriesTable, Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { isRestricted, needAdmin } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { refuseUnlessAdmin } from "./admins_only.ts";
import { refuseTakenName } from "./create.ts";
import type { ChangedRepository } from "./fields.ts";
import { getRepositoryRow } from "./find.ts";
import { movedBy, refuseKeptSecrets } from "./place.ts";
import { type AccessSecrets, openAccess, sealAccess } from "./seal.ts";
import { secretWarnings } from "./secret_warnings.ts";

/**
 * Changes what is given; secrets that are left out stay. Every connected host of the repository learns of it at once. Returns
 * warnings about secrets that would mask ordinary text in logs.
 */
export async function changeRepository(
  server: Server,
  actor: Actor,
  id: string,
  input: ChangedRepository,
): Promise<string[]> {
  const row = await getRepositoryRow(server, id);
  refuseUnlessAdmin(actor, input, row);
  const { url, normalised } = parseRepositoryUrl(input.url);
  const stored = await openAccess(server, row);
  const access = merge(stored, input);
  const options = JSON.parse(row.options) as Record<string, string>;
  const movedField = movedBy(
    { url_normalised: row.url_normalised, environment: stored.environment, options },
    {
      url_normalised: normalised,
      environment: access.environment,
      options: input.options ?? options,
    },
  );
  if (movedField) refuseKeptSecrets(row, input, movedField);
  const changed = changedFields(row, input);
  const moved = movedField === "url";
  const sealed = await sealAccess(server, id, access);
  await change(server, actor, async ({ tx, now, audit }) => {
    await refuseOthersThanAdmins(tx, actor, row, { changed, movedField, now });
    if (input.open_to_operators === false) await withdrawOperatorsTokens(tx, id, now);
    await refuseTakenName(tx, input.name, id);
    await tx.updateTable("repositories").set({
      url,
      url_normalised: normalised,
      ...sealed,
      ...columns(row, input, moved),
      ...(movedField ? NO_ADMIN_CREDENTIAL : {}),
      updated_at: now,
    }).where("id", "=", id).execute();
    await changeHosts(server, tx, id, moved);
    await audit({
      action: "repository.changed",
      target: { kind: "repository", id, name: input.name },
      detail: { changed, url },
    });
  });
  await pushToHosts(server, id, moved);
  return secretWarnings({ ...input, username: input.username ?? row.username });
}

/** It belongs to the place before: sent to another one, it would be given away. */
const NO_ADMIN_CREDENTIAL = {
  admin_set: 0,
  admin_username: null,
  admin_rest_password_sealed: null,
  admin_environment_sealed: null,
};

/** What is left out stays as it is. */
function columns(
  row: Selectable<RepositoriesTable>,
  input: ChangedRepository,
  moved: boolean,
): Updateable<RepositoriesTable> {
  const { certificate_authority, options, append_only, is_new, open_to_operators } = input;
  const mayBeNew = moved || !row.initialised_at;
  return {
    name: input.name,
    username: input.username === undefined ? row.username : input.username,
    ...(certificate_authority === undefined ? {} : { certificate_authority }),
    ...(options ? { options: JSON.stringify(options) } : {}),
    ...(append_only === undefined ? {} : { append_only: append_only ? 1 : 0 }),
    ...(is_new === undefined ? {} : { is_new: is_new && mayBeNew ? 1 : 0 }),
    ...(moved ? { initialised_at: null } : {}),
    ...(open_to_operators === undefined ? {} : { open_to_operators: open_to_operators ? 1 : 0 }),
  };
}

/** Each host has another plan; another place is another repository, which each host makes or opens again. */
async function changeHosts(
  server: Server,
  tx: Transaction<Tables>,
  id: string,
  moved: boolean,
): Promise<void> {
  if (moved) await tx.deleteFrom("repository_ids").where("repository_id", "=", id).execute();
  await tx.updateTable("hosts").set((expression) => ({
    plan_version: expression("plan_version", "+", 1),
    ...(moved ? { repository_ready_at: null, repository_job_id: null } : {}),
  })).where("repository_id", "=", id).execute();
  if (moved) await refuseWhileLeased(tx, id);
  await refuseUnlessHostsTake(server, tx, id);
}

/**
 * A repository that is not open is an admin's. An open one may not be moved while hosts are or may be bound to it: that would
 * bind them elsewhere. Throws forbidden with the field.
 */
async function refuseOthersThanAdmins(
  tx: Transaction<Tables>,
  actor: Actor,
  row: Selectable<RepositoriesTable>,
  { changed, movedField, now }: { changed: string[]; movedField: string | undefined; now: number },
): Promise<void> {
  if (!isRestricted(actor)) return;
  const { open_to_operators: open } = await tx.selectFrom("repositories")
    .select("open_to_operators").where("id", "=", row.id).executeTakeFirstOrThrow();
  const [field] = changed;
  if (open !== 1 && field) {
    needAdmin(
      actor,
      field,
      `${field} may only be changed by an admin, since this repository is not open to operators.`,
    );
  }
  if (!movedField) return;
  const user = await userOf(tx, actor, row.id, now);
  if (!user) return;
  needAdmin(
    actor,
    movedField,
    `${movedField} may only be changed by an admin, since ${user} would back up elsewhere.`,
  );
}

/** A host that is bound to it or may be, or a join command of someone else. */
async function userOf(
  tx: Transaction<Tables>,
  actor: Actor,
  id: string,
  now: number,
): Promise<string | undefined> {
  const host = await tx.selectFrom("hosts").select("name").where((is) =>
    is.or([
      is("repository_id", "=", id),
      // Ids hold nothing that LIKE or JSON would read otherwise.
      is("approved_repository_ids", "like", `%"${id}"%`),
    ])
  ).executeTakeFirst();
  if (host) return host.name;
  const token = await tx.selectFrom("enrolment_tokens").select("host_name")
    .where("repository_id", "=", id).where("used_at", "is", null).where("expires_at", ">", now)
    .where((is) => is.or([is("created_by_id", "is", null), is("created_by_id", "!=", actor.id)]))
    .executeTakeFirst();
  return token?.host_name;
}

/** Commands that operators made while it was open would bring what is stored now to machines of theirs. */
async function withdrawOperatorsTokens(
  tx: Transaction<Tables>,
  id: string,
  now: number,
): Promise<void> {
  await tx.updateTable("enrolment_tokens").set({ expires_at: now })
    .where("repository_id", "=", id).where("rejoins_host_id", "is", null)
    .where("used_at", "is", null).where("expires_at", ">", now)
    .where(
      "created_by_id",
      "in",
      (query) => query.selectFrom("users").select("id").where("role", "!=", "admin"),
    )
    .execute();
}

async function pushToHosts(
  server: Server,
  repositoryId: string,
  moved: boolean,
): Promise<void> {
  const hosts = await server.db.selectFrom("hosts").select("id")
    .where("repository_id", "=", repositoryId).execute();
  for (const { id } of hosts) {
    if (server.agents.isOnline(id)) await server.plan.pushConfig(server, id);
    if (moved) await server.work.ensureRepository(server, id);
    server.events.publish({ type: "host", hostId: id });
  }
}

function merge(stored: AccessSecrets, input: ChangedRepository): AccessSecrets {
  if (input.environment === undefined) {
    return { ...stored, ...given(input) };
  }
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.environment)) {
    const kept = value ?? stored.environment[name];
    if (kept === undefined) {
      throw new AppError("invalid", `environment.${name} needs a value.`, "environment");
    }
    environment[name] = kept;
  }
  return { ...stored, ...given(input), environment };
}

function given(input: ChangedRepository): Partial<AccessSecrets> {
  return {
    ...(input.password ? { password: input.password } : {}),
    ...(input.rest_password ? { rest_password: input.rest_password } : {}),
  };
}

/** Names only: what was set is nobody's business but the agents'. What is sent as it was is no change. */
function changedFields(row: Selectable<RepositoriesTable>, input: ChangedRepository): string[] {
  const differs: Record<string, boolean> = {
    name: row.name !== input.name,
    url: row.url !== input.url,
    username: input.username !== undefined && row.username !== input.username,
    password: Boolean(input.password),
    rest_password: Boolean(input.rest_password),
    environment: input.environment !== undefined && changesEnvironment(row, input.environment),
    append_only: input.append_only !== undefined && input.append_only !== (row.append_only === 1),
    is_new: input.is_new === true && row.is_new !== 1,
    certificate_authority: input.certificate_authority !== undefined &&
      input.certificate_authority !== row.certificate_authority,
    options: input.options !== undefined &&
      !isDeepStrictEqual(input.options, JSON.parse(row.options)),
    open_to_operators: input.open_to_operators !== undefined &&
      input.open_to_operators !== (row.open_to_operators === 1),
  };
  return Object.keys(differs).filter((field) => differs[field]);
}

function changesEnvironment(
  { environment_names }: { environment_names: string },
  input: Record<string, string | null>,
): boolean {
  return Object.values(input).some((value) => value !== null) ||
    !isDeepStrictEqual(Object.keys(input).sort(), JSON.parse(environment_names));
}

/** What they are told of the repository is the same for all: one is asked. */
async function refuseUnlessHostsTake(
  server: Server,
  tx: Transaction<Tables>,
  repositoryId: string,
): Promise<void> {
  const host = await tx.selectFrom("hosts").select("id").where("repository_id", "=", repositoryId)
    .limit(1).executeTakeFirst();
  if (host) await server.plan.refuseUnlessTaken(server, tx, host.id);
}

/** Under the new address others would take a lease of their own, and it may be the same place. */
async function refuseWhileLeased(tx: Transaction<Tables>, repositoryId: string): Promise<void> {
  const holder = await tx.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .innerJoin("hosts", "hosts.id", "jobs.host_id").select(["jobs.kind", "hosts.name"])
    .where("jobs.repository_id", "=", repositoryId).executeTakeFirst();
  if (!holder) return;
  throw new AppError(
    "conflict",
    `${holder.name} has not said that its ${holder.kind} of this repository is over: the address can be changed afterwards, or when its lease is released.`,
    "url",
  );
}
