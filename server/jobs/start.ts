// Run now, of whatever may be run.
import { limitsOf } from "../../shared/bandwidth.ts";
import { z } from "zod";
import type { Transaction } from "kysely";
import { bandwidthLimit } from "../../shared/fields.ts";
import { fieldsOfAll, HOST_KINDS } from "../../shared/job_kinds/all.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { refuseDoubted } from "../hosts/instances.ts";
import { dispatchJobs } from "./dispatch.ts";
import { insertJob } from "./insert.ts";
import { wantsAllRemoved } from "./remove_all_input.ts";
import { refuseSecond } from "./one_open.ts";

export const JobInput = z.strictObject({
  kind: z.enum(HOST_KINDS, { error: `must be one of ${HOST_KINDS.join(", ")}` }),
  bandwidth_up_kbps: bandwidthLimit.optional(),
  bandwidth_down_kbps: bandwidthLimit.optional(),
  ...fieldsOfAll("input"),
});
export type JobInput = z.infer<typeof JobInput>;

/**
 * Starts a job now, or several: one per source group when a backup names none. Throws agent_offline when the host is
 * not connected (nothing is queued for later), conflict when the same thing is queued or running already.
 */
export async function startJobs(
  server: Server,
  actor: Actor,
  hostId: string,
  input: JobInput,
): Promise<string[]> {
  // Also for kinds that remove no lock: they are told that it does not belong there.
  wantsAllRemoved(actor, input);
  const { start } = server.kinds[input.kind];
  if (!start) throw new Error(`${input.kind} is not started like this`);
  return await start(server, actor, hostId, input);
}

export interface StartedHost {
  name: string;
  repository_id: string;
}

/** Starts what `insert` inserts, on a host that is connected and of which no machine is in doubt; returns the ids of the jobs. */
export async function startOnHost(
  server: Server,
  hostId: string,
  insert: (tx: Transaction<Tables>, host: StartedHost) => Promise<string[]>,
  /** Throws when the host is not the one that was meant. */
  check: (host: StartedHost) => void = () => {},
): Promise<string[]> {
  const ids = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["name", "repository_id", "doubted_since"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    check(host);
    if (!server.agents.isOnline(hostId)) {
      throw new AppError("agent_offline", `${host.name} is offline; nothing was started.`);
    }
    refuseDoubted(host);
    return await insert(tx, host);
  });
  await dispatchStarted(server, hostId, ids);
  return ids;
}

/** Tells of jobs that were queued, and sends what may be sent. */
export async function dispatchStarted(
  server: Server,
  hostId: string,
  ids: string[],
): Promise<void> {
  // Before it can be told that one runs.
  for (const jobId of ids) server.events.publish({ type: "job", jobId, hostId, status: "queued" });
  await dispatchJobs(server, hostId);
}

/** The start of a kind of which a host needs one at a time, and which is asked nothing more. */
export async function startOne(
  server: Server,
  actor: Actor,
  hostId: string,
  input: JobInput,
): Promise<string[]> {
  return await startOnHost(server, hostId, async (tx, host) => {
    const { kind } = input;
    await refuseSecond(tx, { hostId, hostName: host.name, kind });
    return [await insertJob(server, tx, actor, { hostId, host, kind, limits: limitsOf(input) })];
  });
}
