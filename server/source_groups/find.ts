import type { Selectable } from "kysely";
import { HOOK_NAMES, type HookName } from "../../shared/hooks.ts";
import type { SourceGroupsTable } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { openHook } from "../hooks/seal.ts";
import { lastRunOf } from "../last_run.ts";
import type { Server } from "../server.ts";
import { secondLook, surroundingsOf } from "./second_look.ts";
import { fromColumns } from "../database/columns.ts";
import { SourceGroupSettings } from "../../shared/shapes/source_group_settings.ts";
import type { SourceGroup } from "../../shared/shapes/source_group.ts";

/** By name, each with its newest job. */
export async function listSourceGroups(server: Server, hostId: string): Promise<SourceGroup[]> {
  const rows = await server.db.selectFrom("source_groups").selectAll()
    .where("host_id", "=", hostId).orderBy("name").execute();
  return await withLastRun(server, rows);
}

/** Throws not_found also when the group is another host's. */
export async function getSourceGroup(
  server: Server,
  hostId: string,
  id: string,
): Promise<SourceGroup> {
  const row = await server.db.selectFrom("source_groups").selectAll()
    .where("id", "=", id).where("host_id", "=", hostId).executeTakeFirst();
  if (!row) throw new AppError("not_found", "There is no such source group on this host.");
  return (await withLastRun(server, [row]))[0]!;
}

async function withLastRun(
  server: Server,
  rows: Selectable<SourceGroupsTable>[],
): Promise<SourceGroup[]> {
  if (rows.length === 0) return [];
  const runs = await newestRuns(server, rows.map((row) => row.id));
  const surroundings = await surroundingsOf(server, rows[0]!.host_id);
  return await Promise.all(rows.map(async (row) => {
    const settings = fromColumns(SourceGroupSettings, row);
    return {
      id: row.id,
      host_id: row.host_id,
      ...settings,
      snapshot_tag: row.snapshot_tag,
      accepted_sources: JSON.parse(row.accepted_sources),
      warnings: secondLook(settings, surroundings),
      ...await openedHooks(server, row.id, row),
      hook_timeout_seconds: row.hook_timeout_seconds,
      hook_stop_at_error: row.hook_stop_at_error === 1,
      created_at: row.created_at,
      updated_at: row.updated_at,
      last_run: lastRunOf(runs.find((run) => run.source_group_id === row.id)),
    };
  }));
}

/** The newest job of each group by one look into the index, however many jobs there are. */
async function newestRuns({ db }: Server, groupIds: string[]) {
  return await db.selectFrom("source_groups")
    .innerJoin(
      "jobs",
      (join) =>
        join.on(
          "jobs.number",
          "=",
          (expression) =>
            expression.selectFrom("jobs as newest").select((each) =>
              each.fn.max("newest.number").as("n")
            )
              .whereRef("newest.source_group_id", "=", "source_groups.id")
              .where("newest.kind", "=", "backup"),
        ),
    )
    .select([
      "jobs.id",
      "jobs.source_group_id",
      "jobs.status",
      "jobs.warnings",
      "jobs.created_at",
      "jobs.started_at",
    ])
    .where("source_groups.id", "in", groupIds).execute();
}

async function openedHooks(
  server: Server,
  id: string,
  sealed: Pick<Selectable<SourceGroupsTable>, "pre_hook_sealed" | "post_hook_sealed">,
): Promise<Pick<SourceGroup, HookName | "cannot_decrypt_hooks">> {
  const hooks = { pre_hook: null, post_hook: null, cannot_decrypt_hooks: [] } as Pick<
    SourceGroup,
    HookName | "cannot_decrypt_hooks"
  >;
  for (const name of HOOK_NAMES) {
    const owner = { table: "source_groups" as const, row: id };
    const text = await openHook(server, owner, name, sealed[`${name}_sealed`]);
    hooks[name] = text ?? null;
    if (text === undefined) hooks.cannot_decrypt_hooks.push(name);
  }
  return hooks;
}

/** A group that may take snapshots over. */
export interface Heir {
  id: string;
  /** "group on host". */
  name: string;
  snapshot_host: string;
}

/** The groups of hosts that use a repository, for a choice: those of hosts with these snapshots first; at most 50. */
export async function heirsOf(
  { db }: Server,
  repositoryId: string,
  snapshotHosts: string[],
): Promise<Heir[]> {
  const rows = await db.selectFrom("source_groups")
    .innerJoin("hosts", "hosts.id", "source_groups.host_id")
    .select(["source_groups.id", "source_groups.name", "hosts.name as host", "snapshot_host"])
    .where("repository_id", "=", repositoryId)
    .orderBy((by) => by("snapshot_host", "in", snapshotHosts), "desc")
    .orderBy("hosts.name").orderBy("source_groups.name").limit(50).execute();
  return rows.map(({ id, name, host, snapshot_host }) => ({
    id,
    name: `${name} on ${host}`,
    snapshot_host,
  }));
}

/** Is there anything that a backup of this host would save? */
export async function hasPathsToSave({ db }: Server, hostId: string): Promise<boolean> {
  const found = await db.selectFrom("source_groups").select("id")
    .where("host_id", "=", hostId).where("includes", "!=", "[]").limit(1).executeTakeFirst();
  return found !== undefined;
}
