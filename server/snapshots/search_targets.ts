// Which snapshots a search goes through: those that a list in force holds and the person may see, the newest first.
import { AppError } from "../errors.ts";
import { isRestricted } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import type { SourceHost } from "./get.ts";
import { listAllSnapshots } from "./list.ts";
import { mayDecide, seesPath } from "./tree_rights.ts";

/** What is older is not searched. */
export const SEARCH_SNAPSHOTS = 2000;
const PAGE = 500;

export interface SearchedSnapshot {
  /** Of it in its repository. */
  key: string;
  id: string;
  repository_id: string;
  repository_name: string;
  time: number;
  host: string;
  tags: string[];
  paths: string[];
  files: number | null;
  job_id: string | null;
  source: SourceHost | null;
  maySee: (path: string) => boolean;
}

export interface SearchTargets {
  snapshots: SearchedSnapshot[];
  /** There are older ones, which are not among them. */
  hasMore: boolean;
}

/** Throws not_found for a repository that is not there, and forbidden (an operator for whom nothing is approved). */
export async function searchTargets(
  server: Server,
  actor: Actor,
  { host, repository }: { host?: string | undefined; repository?: string | undefined },
): Promise<SearchTargets> {
  const repositories = new Map(
    (await server.db.selectFrom("repositories").select(["id", "name"]).execute())
      .map(({ id, name }) => [id, name]),
  );
  if (repository !== undefined && !repositories.has(repository)) {
    throw new AppError("not_found", "There is no such repository.", "repository");
  }
  const hosts = await sourceHosts(server);
  const filter = { ...(host ? { host } : {}), ...(repository ? { repository } : {}) };
  const snapshots: SearchedSnapshot[] = [];
  let isAnyHidden = false;
  let cursor: string | null = null;
  do {
    const page = await listAllSnapshots(server, filter, { limit: PAGE, cursor });
    for (const each of page.items.filter(({ listed }) => listed)) {
      const source = each.host_id === null ? null : hosts.get(each.host_id) ?? null;
      if (!mayDecide(isRestricted(actor), source)) {
        isAnyHidden = true;
        continue;
      }
      const { id, repository_id, time, tags, paths, files, job_id } = each;
      snapshots.push({
        key: keyOf(repository_id, id),
        ...{ id, repository_id, time, tags, paths, files, job_id, source, host: each.host },
        repository_name: repositories.get(repository_id) ?? "",
        maySee: seesPath(actor, { source }),
      });
    }
    cursor = page.next_cursor;
  } while (cursor !== null && snapshots.length < SEARCH_SNAPSHOTS);
  if (snapshots.length === 0 && isAnyHidden) {
    throw new AppError(
      "forbidden",
      "Operators search below the folders that an admin approved for the hosts of the snapshots, and none is approved here.",
    );
  }
  const hasMore = cursor !== null || snapshots.length > SEARCH_SNAPSHOTS;
  return { snapshots: snapshots.slice(0, SEARCH_SNAPSHOTS), hasMore };
}

/** What the host or repository is called in which is searched; null where all are. One that is not there is called as it was given. */
export async function searchScope(
  { db }: Pick<Server, "db">,
  { host, repository }: { host?: string | undefined; repository?: string | undefined },
): Promise<{ kind: "host" | "repository"; name: string } | null> {
  const given = host || repository;
  if (!given) return null;
  const kind = host ? "host" : "repository";
  const row = await db.selectFrom(host ? "hosts" : "repositories").select("name")
    .where("id", "=", given).executeTakeFirst();
  return { kind, name: row?.name ?? given };
}

export function keyOf(repositoryId: string, snapshot: string): string {
  return `${repositoryId} ${snapshot}`;
}

async function sourceHosts({ db }: Server): Promise<Map<string, SourceHost>> {
  const rows = await db.selectFrom("hosts")
    .select(["id", "name", "os", "time_zone", "approved_roots"]).execute();
  return new Map(rows.map(({ id, name, os, time_zone, approved_roots }) => [id, {
    id,
    name,
    os: os ?? "linux",
    time_zone,
    approved_roots: JSON.parse(approved_roots) as string[],
  }]));
}
