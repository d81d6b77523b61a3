// One act of someone: what it stores, its entry in the audit, and what is told afterwards, in one transaction and in that order.
import type { Transaction } from "kysely";
import { type Act, recordAudit } from "./audit/record.ts";
import type { Tables } from "./database/tables.ts";
import type { Actor, Server } from "./server.ts";

export interface Change {
  server: Server;
  tx: Transaction<Tables>;
  actor: Actor;
  /** When it is done: one moment for all that it stores. */
  now: number;
  /** By whom, and now. Without the entry there is no act. */
  audit(act: Act): Promise<void>;
  /**
   * The plan of the host has become another one: raises its version, and sends it after the commit. Throws invalid, so that
   * nothing is saved, when the host's agent would not take it.
   */
  planChanged(hostId: string): Promise<void>;
  /** The same for what only takes something out: that must be possible also where too much was stored before. */
  planShrank(hostId: string): Promise<void>;
}

/** Returns what the act returns, when all of it is stored; when it throws, nothing is. */
export async function change<T>(
  server: Server,
  actor: Actor,
  act: (change: Change) => Promise<T>,
): Promise<T> {
  const changedPlans = new Set<string>();
  const now = server.now();
  const done = await server.db.transaction().execute(async (tx) =>
    await act({
      server,
      tx,
      actor,
      now,
      audit: (entry) => recordAudit(tx, now, actor, entry),
      async planChanged(hostId) {
        await server.plan.changed(server, tx, hostId);
        changedPlans.add(hostId);
      },
      async planShrank(hostId) {
        await server.plan.shrank(tx, hostId);
        changedPlans.add(hostId);
      },
    })
  );
  for (const hostId of changedPlans) await server.plan.push(server, hostId);
  return done;
}
