// One snapshot, by its id or the beginning of it: where it is, whose it is, and what is known of it.
import { sql } from "kysely";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";

/** The host in whose list it is. */
export interface SourceHost {
  id: string;
  name: string;
  os: string;
  time_zone: string;
  approved_roots: string[];
}

export interface FoundSnapshot {
  id: string;
  repository_id: string;
  repository_name: string;
  time: number;
  hostname: string;
  username: string | null;
  tags: string[];
  paths: string[];
  files: number | null;
  bytes: number | null;
  bytes_added: number | null;
  /** null: no host that is here lists it. */
  source: SourceHost | null;
  /** False: no list in force holds it, and it is known only since it was pinned. */
  listed: boolean;
}

/** More than these are not told apart. */
const MATCHES = 20;

interface Row {
  /** Host's lists are 0, those of whole repositories 1, pins 2. */
  rank: number;
  id: string;
  repository_id: string;
  repository_name: string;
  time: number;
  hostname: string;
  username: string | null;
  tags: string;
  paths: string;
  files: number | null;
  bytes: number | null;
  bytes_added: number | null;
  host_id: string | null;
  host_name: string | null;
  os: string | null;
  time_zone: string | null;
  approved_roots: string | null;
}

/**
 * The snapshot that a list in force holds: that of its host, or that of the whole repository; else as it was when it was pinned. Throws invalid for what is no id, not_found, and
 * conflict when it is more than one: longer beginnings tell different ones apart, `repositoryId` those that are in two repositories.
 */
export async function getSnapshot(
  server: Server,
  id: string,
  repositoryId?: string,
): Promise<FoundSnapshot> {
  if (!/^[0-9a-f]{8,64}$/.test(id)) {
    throw new AppError(
      "invalid",
      "id must be a snapshot's id or its beginning: 8 to 64 of the digits 0 to 9 and a to f.",
      "id",
    );
  }
  const found = await matching(server, id, repositoryId);
  const rows = found.filter(({ rank, id }) =>
    rank < 2 || !found.some((other) => other.rank < 2 && other.id === id)
  );
  const [first] = rows;
  if (!first) throw new AppError("not_found", "No list of snapshots holds one with this id.", "id");
  const other = rows.find((row) => row.id !== first.id);
  if (other) {
    throw new AppError(
      "conflict",
      `More than one snapshot begins with ${id}, such as ${first.id.slice(0, 16)} and ${
        other.id.slice(0, 16)
      }: give more digits.`,
      "id",
    );
  }
  const elsewhere = rows.find((row) => row.repository_id !== first.repository_id);
  if (elsewhere) {
    const named = [first, elsewhere].map((row) => `${row.repository_id} (${row.repository_name})`);
    throw new AppError(
      "conflict",
      `This snapshot is in more than one repository: say which by repository=, such as ${
        named.join(" or ")
      }.`,
      "repository",
    );
  }
  return toFound(first);
}

/** Host's lists first, and of these whose list held it first: a host may list what is another's. */
async function matching(server: Server, id: string, repositoryId?: string): Promise<Row[]> {
  // "g" is beyond every digit.
  const end = `${id}g`;
  const only = repositoryId ?? null;
  const { rows } = await sql<Row>`
    select s.id, s.time, s.hostname, s.username, s.tags, s.paths, s.files, s.bytes, s.bytes_added,
      h.repository_id, r.name as repository_name, h.id as host_id, h.name as host_name, h.os, h.time_zone,
      h.approved_roots, 0 as rank,
      coalesce((select k.host_id = h.id from known_snapshots k
        where k.repository_id = h.repository_id and k.snapshot_id = s.id), 0) as is_first
    from hosts h join repositories r on r.id = h.repository_id
      join snapshots s on s.host_id = h.id and s.report_id = h.snapshots_report_id and s.id >= ${id} and s.id < ${end}
    where ${only} is null or h.repository_id = ${only}
    union all
    select w.id, w.time, w.hostname, null, w.tags, w.paths, w.files, w.bytes, null,
      w.repository_id, r.name, null, null, null, null, null, 1, 0
    from repositories r join repository_snapshots w on w.repository_id = r.id
      and w.report_id = r.listing_report_id and w.id >= ${id} and w.id < ${end}
    where ${only} is null or r.id = ${only}
    union all
    select p.snapshot_id, p.time, p.hostname, p.username, p.tags, p.paths, p.files, p.bytes, p.bytes_added,
      p.repository_id, r.name, null, null, null, null, null, 2, 0
    from snapshot_pins p join repositories r on r.id = p.repository_id
    where p.snapshot_id >= ${id} and p.snapshot_id < ${end} and (${only} is null or r.id = ${only})
    order by rank, is_first desc, host_id limit ${MATCHES}`.execute(server.db);
  return rows;
}

function toFound(row: Row): FoundSnapshot {
  const { host_id, host_name, os, time_zone, approved_roots, tags, paths, ...facts } = row;
  return {
    id: facts.id,
    repository_id: facts.repository_id,
    repository_name: facts.repository_name,
    time: facts.time,
    hostname: facts.hostname,
    username: facts.username,
    tags: JSON.parse(tags),
    paths: JSON.parse(paths),
    files: facts.files,
    bytes: facts.bytes,
    bytes_added: facts.bytes_added,
    listed: facts.rank < 2,
    source: host_id === null ? null : {
      id: host_id,
      name: host_name!,
      os: os!,
      time_zone: time_zone!,
      approved_roots: JSON.parse(approved_roots!),
    },
  };
}
