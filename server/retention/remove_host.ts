import { forgetNamed } from "./start_named.ts";
import { z } from "zod";
import { sql } from "kysely";
import { CLOSE } from "../../shared/protocol.ts";
import { recordAudit } from "../audit/record.ts";
import { leaveToCleanUp } from "../hosts/clean_up.ts";
import { AppError } from "../errors.ts";
import { dispatchAll } from "../jobs/dispatch.ts";
import { chooseHost } from "../maintenance/start.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { pinnedAmong } from "./pins.ts";
import { asPlaces, type UngovernedSnapshot } from "./ungoverned.ts";
import type { Actor, Server } from "../server.ts";

/** What becomes of a removed host's snapshots: decided later, kept for good, or forgotten by another host. */
export const HostSnapshotsChoice = z.strictObject({
  snapshots: z.enum(["ask", "keep", "forget"], {
    error: "must be ask (decide later), keep (for good) or forget",
  }).default("ask"),
});
export type HostSnapshotsChoice = z.infer<typeof HostSnapshotsChoice>;

/**
 * Forgets the host and ends its connection at once; its jobs with their lines, which may be millions, follow in steps
 * (clean_up.ts). Returns the job that forgets its snapshots, when that
 * was chosen. Throws conflict when no other host of the repository is connected to do it; nothing is removed then.
 */
export async function removeHost(
  server: Server,
  actor: Actor,
  hostId: string,
  { snapshots }: HostSnapshotsChoice = { snapshots: "ask" },
): Promise<string | undefined> {
  const left = snapshots === "forget" ? await refuseWithoutOther(server, hostId) : [];
  const gone = await server.database.withoutReferences(async (tx) => {
    if (snapshots === "keep") {
      await sql`insert or ignore into ungoverned_kept (repository_id, hostname, tags, kept_by, kept_at)
        select distinct hosts.repository_id, snapshots.hostname, snapshots.tags, ${actor.name}, ${server.now()}
        from snapshots join hosts on hosts.id = snapshots.host_id
          and hosts.snapshots_report_id = snapshots.report_id
        where hosts.id = ${hostId} and snapshots.hostname = hosts.snapshot_host`.execute(tx);
    }
    const row = await tx.selectFrom("hosts").select(["name", "snapshot_host", "repository_id"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!row) throw new AppError("not_found", "There is no such host.");
    await leaveToCleanUp(server, tx, hostId);
    await recordAudit(tx, server.now(), actor, {
      action: "host.removed",
      target: { kind: "host", id: hostId, name: row.name },
      detail: { snapshots },
    });
    return row;
  });
  server.agents.close(hostId, CLOSE.unknownHost, "this host was removed from the server");
  server.progress.forget(hostId);
  server.paces.forget(hostId);
  server.openLists.delete(hostId);
  server.events.publish({ type: "host", hostId });
  // It may have held a lease that another host waits for.
  await dispatchAll(server);
  if (left.length === 0) return undefined;
  const named = { hostname: gone.snapshot_host, tags: [], places: asPlaces(left) };
  return await forgetNamed(server, actor, gone.repository_id, named);
}

/** The host's snapshots as it listed them, but for pinned ones; what it listed under the name of another is not its own to take along. */
async function refuseWithoutOther(
  server: Server,
  hostId: string,
): Promise<UngovernedSnapshot[]> {
  const { repository_id } = await server.db.selectFrom("hosts").select("repository_id")
    .where("id", "=", hostId).executeTakeFirst() ?? {};
  if (!repository_id) throw new AppError("not_found", "There is no such host.");
  try {
    const repository = await getRepositoryRow(server, repository_id);
    await chooseHost(server, repository, { kind: "forget" }, hostId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(
      "conflict",
      `No other host can forget the snapshots now: ${error.message} Leave them; the repository's page lists them.`,
      "snapshots",
    );
  }
  const own = await server.db.selectFrom("snapshots").innerJoin(
    "hosts",
    (join) =>
      join.onRef("hosts.id", "=", "snapshots.host_id")
        .onRef("hosts.snapshots_report_id", "=", "snapshots.report_id"),
  )
    .select(["snapshots.id", "snapshots.time", "snapshots.hostname", "snapshots.tags"])
    .where("hosts.id", "=", hostId).whereRef("snapshots.hostname", "=", "hosts.snapshot_host")
    .orderBy("snapshots.time").limit(4000).execute();
  const pinned = await pinnedAmong(server.db, repository_id, own.map(({ id }) => id));
  return own.filter(({ id }) => !pinned.has(id));
}
