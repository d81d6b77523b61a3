// What is in the row of a machine that waits, all of it said by the machine. Each change raises the row's revision, to which an
// acceptance is bound.
import type { Transaction } from "kysely";
import type { AnnouncedMachine } from "../../shared/announce.ts";
import type { Tables } from "../database/tables.ts";
import { UNSEEN_MILLISECONDS } from "./limits.ts";

export interface Said {
  hostname: string;
  os: string;
  arch: string;
  agent_version: string;
  restic_version: string | null;
  announced_from_ip: string;
  announced_from_network: string;
  dialled: string | null;
  plain_http: number;
}

/** Anyone who did not say at first how he dialled said nothing else before. */
const OF_THE_ADDRESS = ["dialled", "plain_http"];

export function described(machine: AnnouncedMachine) {
  const { hostname, os, arch, agent_version, restic_version = null } = machine;
  return { hostname, os, arch, agent_version, restic_version };
}

/** Notes that the machine was heard, and what it said if that is something else. False when nothing waits there any more. */
export async function noteSaid(
  tx: Transaction<Tables>,
  now: number,
  id: string,
  { isProven, ...said }: Said & { isProven: boolean },
): Promise<boolean> {
  const row = await tx.selectFrom("pending_hosts").selectAll().where("id", "=", id)
    .where("expires_at", ">", now).executeTakeFirst();
  if (!row) return false;
  const isOther = (Object.keys(said) as (keyof Said)[]).some((name) =>
    row[name] !== said[name] && !(row.dialled === null && OF_THE_ADDRESS.includes(name))
  );
  await tx.updateTable("pending_hosts").set({
    ...said,
    revision: row.revision + Number(isOther),
    last_seen_at: now,
    expires_at: now + UNSEEN_MILLISECONDS,
    ...(isProven ? { proven_at: now } : {}),
  }).where("id", "=", id).execute();
  return true;
}
