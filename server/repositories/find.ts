import type { Selectable } from "kysely";
import type { RepositoriesTable, RepositoryIdsTable } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { type Page, type PageInput, pageOf } from "../paging.ts";
import type { Server } from "../server.ts";
import type { PlaceId, Repository } from "../../shared/shapes/repository.ts";

export async function getRepositoryRow(
  { db }: Server,
  id: string,
): Promise<Selectable<RepositoriesTable>> {
  const row = await db.selectFrom("repositories").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (!row) throw new AppError("not_found", "There is no such repository.");
  return row;
}

export async function getRepository(server: Server, id: string): Promise<Repository> {
  const row = await getRepositoryRow(server, id);
  return (await withHosts(server, [row]))[0]!;
}

/** Those of the ids that are there. */
export async function someRepositories(server: Server, ids: string[]): Promise<Repository[]> {
  if (ids.length === 0) return [];
  const rows = await server.db.selectFrom("repositories").selectAll().where("id", "in", ids)
    .orderBy("name").execute();
  return await withHosts(server, rows);
}

/** By name. */
export async function listRepositories(
  server: Server,
  input: PageInput & { isOpen?: boolean },
): Promise<Page<Repository>> {
  let query = server.db.selectFrom("repositories").selectAll().orderBy("name").limit(
    input.limit + 1,
  );
  if (input.cursor !== null) query = query.where("name", ">", input.cursor);
  if (input.isOpen) query = query.where("open_to_operators", "=", 1);
  const rows = await query.execute();
  const seen = await withHosts(server, rows.slice(0, input.limit));
  return { ...pageOf(rows, input, (row) => row.name, (row) => row), items: seen };
}

async function withHosts(
  { db }: Server,
  rows: Selectable<RepositoriesTable>[],
): Promise<Repository[]> {
  const hosts = rows.length === 0 ? [] : await db.selectFrom("hosts")
    .select(["id", "name", "repository_id"])
    .where("repository_id", "in", rows.map((row) => row.id)).orderBy("name").execute();
  const ids = await resticIds(db, rows.map((row) => row.id));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    url: row.url,
    username: row.username,
    password_set: true,
    rest_password_set: row.rest_password_sealed !== null,
    environment_names: JSON.parse(row.environment_names),
    append_only: row.append_only === 1,
    certificate_authority: row.certificate_authority,
    options: JSON.parse(row.options),
    open_to_operators: row.open_to_operators === 1,
    is_new: row.is_new === 1,
    initialised_at: row.initialised_at,
    total_size: row.total_size,
    restore_size: row.restore_size,
    snapshots_count: row.snapshots_count,
    admin_credential_set: row.admin_set === 1,
    stats_at: row.stats_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
    hosts: hosts.filter((host) => host.repository_id === row.id)
      .map(({ id, name }) => ({ id, name })),
    ...ids(row.id),
  }));
}

/** What is known of each repository's own id, and who else has it. */
async function resticIds(db: Server["db"], repositoryIds: string[]) {
  const own = repositoryIds.length === 0 ? [] : await db.selectFrom("repository_ids").selectAll()
    .where("repository_id", "in", repositoryIds).orderBy("host_id").execute();
  const all = own.length === 0 ? [] : await db.selectFrom("repository_ids")
    .innerJoin("repositories", "repositories.id", "repository_ids.repository_id")
    .select(["restic_id", "id", "name", "url"]).distinct()
    .where("restic_id", "in", own.map((row) => row.restic_id)).orderBy("name").execute();
  return (repositoryId: string): Pick<Repository, "restic_ids" | "same_as"> => {
    const places = own.filter((row) => row.repository_id === repositoryId);
    const known = new Set(places.map((row) => row.restic_id));
    const same = all.filter(({ id, restic_id }) => id !== repositoryId && known.has(restic_id));
    return {
      restic_ids: places.map(toPlaceId),
      same_as: [...new Map(same.map(({ id, name, url }) => [id, { id, name, url }])).values()],
    };
  };
}

function toPlaceId(row: Selectable<RepositoryIdsTable>): PlaceId {
  const { host_id, restic_id, other_id, other_host_id, other_host_name, other_at } = row;
  return {
    host_id,
    restic_id,
    changed: other_id === null ? null : {
      restic_id: other_id,
      host_id: other_host_id!,
      host_name: other_host_name!,
      at: other_at!,
    },
  };
}

/** What a job's page says of its repository; undefined when that was removed. */
export async function findRepositoryName(
  { db }: Server,
  id: string,
): Promise<{ id: string; name: string } | undefined> {
  return await db.selectFrom("repositories").select(["id", "name"]).where("id", "=", id)
    .executeTakeFirst();
}
