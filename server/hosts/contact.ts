// Between which moments of the server's clock something happened that a host reports: after it was last heard of before its
// present contact, and before the receipt. A host that was away for a week may report of all of it; one that is
// connected cannot say that something happened long ago.
import type { AgentSocket } from "../connected_agents.ts";
import type { Server } from "../server.ts";

/** A connection that breaks and comes back is one contact for this long, so that a late journal keeps its times. */
const CONTACT = 6 * 3_600_000;
/** In a connection that lasts, a report is on its way for no longer than this. */
const ON_ITS_WAY = 600_000;
/** Clocks that agree to within this are taken as they are. */
export const CLOCKS_AGREE = 120_000;

/** At hello, before the host counts as heard of. */
export async function noteContact(
  { db, now }: Server,
  { hostId, bearerHash }: Pick<AgentSocket, "hostId" | "bearerHash">,
): Promise<void> {
  const at = now();
  const host = await db.selectFrom("hosts").select(["last_seen_at", "contact_since", "created_at"])
    .where("id", "=", hostId).where("bearer_hash", "=", bearerHash).executeTakeFirst();
  if (!host) return;
  if (host.contact_since !== null && Math.abs(at - host.contact_since) <= CONTACT) return;
  await db.updateTable("hosts")
    .set({ contact_before: host.last_seen_at ?? host.created_at, contact_since: at })
    .where("id", "=", hostId).execute();
}

/** The earliest moment at which what this host reports now may have happened. */
export async function windowFrom({ db, now }: Server, hostId: string): Promise<number> {
  const at = now();
  const { contact_before, contact_since, created_at } = await db.selectFrom("hosts")
    .select(["contact_before", "contact_since", "created_at"]).where("id", "=", hostId)
    .executeTakeFirstOrThrow();
  const isLong = at - (contact_since ?? created_at) > CONTACT;
  return Math.min(at, isLong ? at - ON_ITS_WAY : contact_before ?? created_at);
}

/** A time of the agent's clock in the server's, held between `from` and now. `skew` is what the server's clock is ahead. */
export function held(at: number, skew: number, from: number, now: number): number {
  const own = Math.abs(skew) > CLOCKS_AGREE ? at + skew : at;
  return Math.max(from, Math.min(own, now));
}
