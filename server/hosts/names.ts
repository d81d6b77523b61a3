// Names of hosts: which are taken, and what filters offer.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { codePoints } from "../../shared/deceptive_name.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import { asciiLower } from "./ascii_lower.ts";
import { lookAlikeOf } from "./look_alikes.ts";

export interface NameInput {
  /** What the caller calls the name. */
  field: string;
  /** The host that is to have it; its own names are free for it. */
  hostId?: string;
  /** The token that holds it for whoever asks. */
  tokenId?: string;
}

/**
 * A name is taken by the host that is called so, by one that was renamed and keeps its snapshots under it, and by a join
 * command that is still open: the machine on which that is run could not join any more. Whatever the case of letters.
 * Throws conflict.
 */
export async function refuseTakenName(
  tx: Transaction<Tables>,
  now: number,
  name: string,
  { field, hostId = "", tokenId = "" }: NameInput,
): Promise<void> {
  const hosts = await tx.selectFrom("hosts").select(["name", "snapshot_host"])
    .where("id", "!=", hostId).where((where) =>
      where.or([
        where("name", "=", name),
        where(where.fn<string>("lower", ["snapshot_host"]), "=", asciiLower(name)),
      ])
    ).execute();
  const called = hosts.find((host) => asciiLower(host.name) === asciiLower(name));
  if (called) {
    throw new AppError(
      "conflict",
      `There is already a host named ${called.name}. A reinstalled machine takes its place back by a command from its Settings page.`,
      field,
    );
  }
  await refuseLookAlike(tx, name, { field, hostId });
  if (hosts[0]) {
    throw new AppError(
      "conflict",
      `The host ${hosts[0].name} was called ${
        hosts[0].snapshot_host
      } before, and its snapshots keep that name. Choose another one.`,
      field,
    );
  }
  const token = await openToken(tx, now, name, tokenId);
  if (token) {
    const until = new Date(token.expires_at).toISOString().slice(11, 16);
    throw new AppError(
      "conflict",
      `A join command for ${name}, made by ${token.created_by}, can be used until ${until} UTC. Use that one, or make another in its place (replace_open).`,
      field,
    );
  }
}

async function openToken(db: Server["db"], now: number, name: string, exceptId = "") {
  return await db.selectFrom("enrolment_tokens").select(["created_by", "expires_at"])
    .where("id", "!=", exceptId).where("used_at", "is", null).where("expires_at", ">", now)
    .where("rejoins_host_id", "is", null)
    .where((where) => where(where.fn<string>("lower", ["host_name"]), "=", asciiLower(name)))
    .executeTakeFirst();
}

/** Whether a join command for that name can still be used, which another one may take the place of. */
export async function hasOpenToken(server: Server, name: string): Promise<boolean> {
  return await openToken(server.db, server.now(), name.trim().normalize("NFC")) !== undefined;
}

/** Of two names in ASCII people know that l is not 1. Throws conflict. */
async function refuseLookAlike(
  tx: Transaction<Tables>,
  name: string,
  { field, hostId = "" }: NameInput,
): Promise<void> {
  const rows = await tx.selectFrom("hosts").select(["name", "snapshot_host"])
    .where("id", "!=", hostId).execute();
  const isStrange = (text: string) => /[^\x20-\x7e]/.test(text);
  const others = rows.flatMap((row) => [row.name, row.snapshot_host])
    .filter((other) => isStrange(name) || isStrange(other));
  const alike = lookAlikeOf(name, others);
  if (!alike) return;
  throw new AppError(
    "conflict",
    `${field} looks like ${alike}, a host that is there already, and is written with other characters (${
      codePoints(`${name}${alike}`)
    }). Choose a name that can be told apart.`,
    field,
  );
}

export async function allTags({ db }: Server): Promise<string[]> {
  const rows = await db.selectFrom("hosts").select("tags").distinct().execute();
  return [...new Set(rows.flatMap((row) => JSON.parse(row.tags) as string[]))].sort();
}

/** The first so many, by name. */
export async function hostNames(
  { db }: Server,
  limit: number,
): Promise<{ id: string; name: string }[]> {
  return await db.selectFrom("hosts").select(["id", "name"]).orderBy("name").limit(limit).execute();
}

/** For a choice: hosts whose agent is not connected, those of a machine with this name first, then by name; at most 20. */
export async function listAwayHosts(
  { db, agents }: Server,
  hostname: string,
): Promise<{ id: string; name: string }[]> {
  const rows = await db.selectFrom("hosts").select(["id", "name"])
    .orderBy((by) => by.or([by("hostname", "=", hostname), by("name", "=", hostname)]), "desc")
    .orderBy("name").execute();
  return rows.filter(({ id }) => !agents.isOnline(id)).slice(0, 20);
}
