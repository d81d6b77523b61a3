import { type ExpressionBuilder, type Selectable, sql } from "kysely";
import type { PendingHostsTable, Tables } from "../database/tables.ts";
import { deceptionIn } from "../../shared/deceptive_name.ts";
import { AppError } from "../errors.ts";
import { skeletonOf } from "../hosts/look_alikes.ts";
import { asciiLower } from "../hosts/ascii_lower.ts";
import { numberCursor, type Page, type PageInput } from "../paging.ts";
import type { Server } from "../server.ts";
import type { PendingHost, RejectedKey } from "../../shared/shapes/pending_host.ts";

export interface PendingPage extends Page<PendingHost> {
  total: number;
}

/** Those with a proven key first, then anyone who has waited the longest: a flood of new ones stands behind. */
export async function listPendingHosts(server: Server, input: PageInput): Promise<PendingPage> {
  const rows = await query(server).where("expires_at", ">", server.now()).execute();
  const names = await knownNames(server);
  const all = rows.map((row) => shown(server, row, names)).sort((a, b) =>
    Number(b.connected) - Number(a.connected) ||
    Number(b.proven_at !== null) - Number(a.proven_at !== null) ||
    a.first_seen_at - b.first_seen_at
  );
  const from = numberCursor(input) ?? 0;
  const to = from + input.limit;
  return {
    items: all.slice(from, to),
    next_cursor: to < all.length ? String(to) : null,
    total: all.length,
  };
}

/** Throws not_found. */
export async function getPendingHost(server: Server, id: string): Promise<PendingHost> {
  const row = await query(server).where("id", "=", id).where("expires_at", ">", server.now())
    .executeTakeFirst();
  if (!row) throw noSuchPendingHost();
  return shown(server, row, await knownNames(server));
}

export function noSuchPendingHost(): AppError {
  return new AppError(
    "not_found",
    "No machine waits here. It was accepted or rejected, or it was not seen for an hour.",
  );
}

/** Whether a host, or another pending one than this, has that name. */
export async function isNameTaken({ db }: Server, id: string, hostname: string): Promise<boolean> {
  const name = asciiLower(hostname);
  const host = await db.selectFrom("hosts").select("id").where((is) =>
    is.or([
      is(is.fn<string>("lower", ["name"]), "=", name),
      is(is.fn<string>("lower", ["snapshot_host"]), "=", name),
      is(is.fn<string>("lower", ["hostname"]), "=", name),
    ])
  ).executeTakeFirst();
  if (host) return true;
  const other = await db.selectFrom("pending_hosts").select("id").where("id", "!=", id)
    .where((is) => is(is.fn<string>("lower", ["hostname"]), "=", name)).executeTakeFirst();
  return other !== undefined;
}

/** The newest first. */
export async function listRejectedKeys(
  server: Server,
  input: PageInput,
): Promise<Page<RejectedKey>> {
  const from = numberCursor(input) ?? 0;
  const rows = await server.db.selectFrom("rejected_keys").selectAll()
    .where("expires_at", ">", server.now()).orderBy("rejected_at", "desc").orderBy("id", "desc")
    .limit(input.limit + 1).offset(from).execute();
  return {
    items: rows.slice(0, input.limit),
    next_cursor: rows.length > input.limit ? String(from + input.limit) : null,
  };
}

export async function countRejectedKeys({ db, now }: Server): Promise<number> {
  const { n } = await db.selectFrom("rejected_keys").select((row) =>
    row.fn.countAll<number>().as("n")
  )
    .where("expires_at", ">", now()).executeTakeFirstOrThrow();
  return n;
}

type Row = Selectable<PendingHostsTable> & { collision: number };

function query({ db }: Server) {
  return db.selectFrom("pending_hosts").selectAll().select((row) =>
    row.or([row.exists(hostsOfThatName(row)), row.exists(othersOfThatName(row))])
      .$castTo<number>().as("collision")
  );
}

type Rows = ExpressionBuilder<Tables, "pending_hosts">;

function hostsOfThatName(row: Rows) {
  return row.selectFrom("hosts").select("hosts.id").where(
    sql<
      boolean
    >`lower(pending_hosts.hostname) in (lower(hosts.name), lower(hosts.snapshot_host), lower(hosts.hostname))`,
  );
}

function othersOfThatName(row: Rows) {
  return row.selectFrom("pending_hosts as other").select("other.id")
    .whereRef("other.id", "!=", "pending_hosts.id")
    .where(sql<boolean>`lower(other.hostname) = lower(pending_hosts.hostname)`);
}

/** Everything that a machine could pass itself off as, with its skeleton worked out once. */
async function knownNames({ db }: Server): Promise<Map<string, string[]>> {
  const hosts = await db.selectFrom("hosts").select(["name", "snapshot_host"]).execute();
  const pending = await db.selectFrom("pending_hosts").select("hostname").execute();
  const names = new Set([
    ...hosts.flatMap(({ name, snapshot_host }) => [name, snapshot_host]),
    ...pending.map(({ hostname }) => hostname),
  ]);
  return Map.groupBy(names, skeletonOf);
}

function lookAlike(name: string, names: Map<string, string[]>): string | null {
  const alike = names.get(skeletonOf(name)) ?? [];
  return alike.find((other) => asciiLower(other) !== asciiLower(name)) ?? null;
}

function shown(server: Server, row: Row, names: Map<string, string[]>): PendingHost {
  const { public_key: _, announced_from_network: __, collision, plain_http, ...rest } = row;
  const deception = deceptionIn(row.hostname);
  return {
    ...rest,
    plain_http: plain_http === 1,
    hostname_collision: collision === 1,
    looks_like: lookAlike(row.hostname, names),
    name_warning: deception?.statement ?? deception?.sentence ?? null,
    connected: server.waiting.isConnected(row.id),
  };
}
