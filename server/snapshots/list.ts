// Every snapshot of every list in force, once: of a host's list, of a whole repository's where no host lists it, and what is pinned where none
// does any more. The same choice as in get.ts: of several hosts that list one, the host whose list held it first.
import { type RawBuilder, sql } from "kysely";
import type { ListedSnapshot } from "../../shared/shapes/snapshot.ts";
import { AppError } from "../errors.ts";
import { type Page, type PageInput, pageOf } from "../paging.ts";
import type { Server } from "../server.ts";
import { samePlaces } from "../retention/pins.ts";
import { marksOf } from "./marks.ts";

export interface SnapshotFilter {
  /** A host's id, or the host name that the snapshots carry. */
  host?: string;
  repository?: string;
  tag?: string;
  /** Which they hold: one of their paths is it, or a folder above it. */
  path?: string;
  from?: number;
  to?: number;
}

interface Row {
  id: string;
  repository_id: string;
  host_id: string | null;
  time: number;
  hostname: string;
  tags: string;
  paths: string;
  files: number | null;
  bytes: number | null;
  listed: number;
}

/** The newest first. Throws invalid for a cursor that is none. */
export async function listAllSnapshots(
  { db }: Pick<Server, "db">,
  filter: SnapshotFilter,
  input: PageInput,
): Promise<Page<ListedSnapshot>> {
  const hostId = await hostIdOf({ db }, filter.host);
  const cursor = readCursor(input.cursor);
  const limit = input.limit + 1;
  // Each is read in the order of its index and no further than is shown.
  const { rows } = await sql<Row>`
    select * from (select * from (${hostLists(filter, { hostId, cursor })}
      order by time desc, id desc, repository_id desc limit ${limit})
    union all select * from (${wholeLists(filter, { hostId, cursor })}
      order by time desc, id desc, repository_id desc limit ${limit})
    union all select * from (${unlisted(filter, { hostId, cursor })}
      order by time desc, id desc, repository_id desc limit ${limit}))
    order by time desc, id desc, repository_id desc limit ${limit}`.execute(db);
  const marks = await marksOf(db, rows);
  const all = rows.map((row, n) => ({ row, marks: marks[n]! }));
  return pageOf(
    all,
    input,
    ({ row }) => `${row.time}.${row.id}.${row.repository_id}`,
    ({ row, marks: { warnings: _, before: __, ...shown } }) => ({
      id: row.id,
      repository_id: row.repository_id,
      time: row.time,
      host: row.hostname,
      host_id: row.host_id,
      tags: JSON.parse(row.tags),
      paths: JSON.parse(row.paths),
      listed: row.listed === 1,
      ...shown,
    }),
  );
}

/** Of what is pinned and no list in force holds any more, the newest twenty. */
export async function listUnlistedPins(
  { db }: Pick<Server, "db">,
  filter: SnapshotFilter,
): Promise<{ id: string; repository_id: string; time: number; host: string }[]> {
  const { rows } = await sql<Row>`select * from (${unlisted(filter, {})})
    order by time desc limit 20`.execute(db);
  return rows.map(({ id, repository_id, time, hostname }) => ({
    id,
    repository_id,
    time,
    host: hostname,
  }));
}

/** The days (since 1970, UTC) between two times on which such snapshots were made. */
export async function daysWithSnapshots(
  { db }: Pick<Server, "db">,
  filter: SnapshotFilter & { from: number; to: number },
): Promise<number[]> {
  const hostId = await hostIdOf({ db }, filter.host);
  const { rows } = await sql<{ day: number }>`
    select distinct time / 86400000 as day from (
      ${hostLists(filter, { hostId, isForDays: true })}
      union all ${wholeLists(filter, { hostId, isForDays: true })}
      union all ${unlisted(filter, { hostId })}) order by day`.execute(db);
  return rows.map(({ day }) => day);
}

interface Part {
  /** The filter's host, where it is an id. */
  hostId?: string | undefined;
  cursor?: Cursor | null;
  /** What is there twice is the same day. */
  isForDays?: boolean;
}

async function hostIdOf({ db }: Pick<Server, "db">, host?: string): Promise<string | undefined> {
  if (!host) return undefined;
  const row = await db.selectFrom("hosts").select("id").where("id", "=", host).executeTakeFirst();
  return row?.id;
}

function hostLists(filter: SnapshotFilter, part: Part): RawBuilder<unknown> {
  const isOwn = part.hostId !== undefined;
  return sql`select s.id as id, h.repository_id as repository_id, h.id as host_id, s.time as time, s.hostname, s.tags, s.paths, s.files, s.bytes,
      1 as listed
    from snapshots as s cross join hosts as h
    where h.id = s.host_id and h.snapshots_report_id = s.report_id
      and ${isOwn ? sql`s.host_id = ${part.hostId}` : sql`true`}
      and ${matches("s", sql.ref("h.repository_id"), filter, part)}
      and ${isOwn || part.isForDays ? sql`true` : IS_CHOSEN}`;
}

/** The host whose list held it first, else the one with the lowest id among those that list it. */
const IS_CHOSEN = sql`(coalesce((select known.host_id = h.id from known_snapshots as known
      where known.repository_id = h.repository_id and known.snapshot_id = s.id), 0)
    or not exists (select 1 from snapshots as twin cross join hosts as other
      where twin.id = s.id and other.id = twin.host_id and other.id <> h.id
        and other.snapshots_report_id = twin.report_id and other.repository_id = h.repository_id
        and (other.id < h.id or exists (select 1 from known_snapshots as known
          where known.repository_id = h.repository_id and known.snapshot_id = s.id
            and known.host_id = other.id))))`;

function wholeLists(filter: SnapshotFilter, part: Part): RawBuilder<unknown> {
  return sql`select w.id as id, w.repository_id as repository_id, null as host_id, w.time as time, w.hostname, w.tags, w.paths, w.files, w.bytes,
      1 as listed
    from repository_snapshots as w cross join repositories as r
    where r.id = w.repository_id and r.listing_report_id = w.report_id
      and ${part.hostId === undefined ? sql`true` : sql`false`}
      and ${matches("w", sql.ref("w.repository_id"), filter, part)}
      and ${part.isForDays ? sql`true` : IS_IN_NO_HOSTS_LIST}`;
}

/** What is pinned and in no list in force of its place: gone, or its host is and no maintenance has listed all since. */
function unlisted(filter: SnapshotFilter, part: Part): RawBuilder<unknown> {
  return sql`select p.snapshot_id as id, p.repository_id as repository_id, p.host_id, p.time as time, p.hostname, p.tags, p.paths, p.files, p.bytes,
      0 as listed
    from snapshot_pins as p
    where ${part.hostId === undefined ? sql`true` : sql`p.host_id = ${part.hostId}`}
      and ${matches("p", sql.ref("p.repository_id"), filter, part, "snapshot_id")}
      and not exists (select 1 from snapshots as twin cross join hosts as other
        where twin.id = p.snapshot_id and other.id = twin.host_id
          and other.snapshots_report_id = twin.report_id
          and other.repository_id in ${samePlaces(sql.ref("p.repository_id"))})
      and not exists (select 1 from repositories as r join repository_snapshots as w
        on w.repository_id = r.id and w.report_id = r.listing_report_id and w.id = p.snapshot_id
        where r.id in ${samePlaces(sql.ref("p.repository_id"))})`;
}

const IS_IN_NO_HOSTS_LIST =
  sql`not exists (select 1 from snapshots as twin cross join hosts as other
    where twin.id = w.id and other.id = twin.host_id
      and other.snapshots_report_id = twin.report_id and other.repository_id = w.repository_id)`;

function matches(
  table: string,
  repositoryId: RawBuilder<unknown>,
  filter: SnapshotFilter,
  { hostId, cursor }: Part,
  idColumn = "id",
): RawBuilder<unknown> {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  const { host, repository, tag, path, from, to } = filter;
  const time = column("time");
  const all = [
    sql`true`,
    ...(host && hostId === undefined ? [sql`${column("hostname")} = ${host}`] : []),
    ...(repository ? [sql`${repositoryId} = ${repository}`] : []),
    ...(from === undefined ? [] : [sql`${time} >= ${from}`]),
    ...(to === undefined ? [] : [sql`${time} <= ${to}`]),
    ...(cursor
      ? [sql`${time} <= ${cursor.time} and (${time}, ${column(idColumn)}, ${repositoryId}) <
          (${cursor.time}, ${cursor.id}, ${cursor.repositoryId})`]
      : []),
    // Most rows are passed over by the text alone.
    ...(tag
      ? [sql`instr(${column("tags")}, ${JSON.stringify(tag)}) > 0
          and exists (select 1 from json_each(${column("tags")}) where value = ${tag})`]
      : []),
    ...(path
      ? [sql`exists (select 1 from json_each(${column("paths")})
          where value in (select value from json_each(${JSON.stringify(withFoldersAbove(path))})))`]
      : []),
  ];
  return sql.join(all, sql` and `);
}

/** /home/alice is in a snapshot of /home/alice, of /home and of /; C:\Users in one of C:\Users and of C:\. */
export function withFoldersAbove(path: string): string[] {
  const plain = path.length > 1 ? path.replace(/[/\\]+$/, "") || "/" : path;
  const above = new Set([path, plain]);
  for (const match of plain.matchAll(/[/\\]/g)) {
    above.add(plain.slice(0, match.index));
    above.add(plain.slice(0, match.index + 1));
  }
  // A drive is C:\ in restic's lists.
  if (/^[a-z]:$/i.test(plain)) above.add(`${plain}\\`);
  above.delete("");
  return [...above];
}

interface Cursor {
  time: number;
  id: string;
  repositoryId: string;
}

function readCursor(cursor: string | null): Cursor | null {
  if (cursor === null) return null;
  const match = /^(-?\d{1,16})\.([0-9a-f]{8,64})\.([A-Za-z0-9_-]{1,64})$/.exec(cursor);
  if (!match) {
    throw new AppError("invalid", "cursor must be the next_cursor of the page before.", "cursor");
  }
  return { time: Number(match[1]), id: match[2]!, repositoryId: match[3]! };
}
