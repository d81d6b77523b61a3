// A reinstalled machine takes its old host back, because an admin said so for that very host: by a token, or by accepting
// it as that host. Its name alone never does.
import type { Transaction } from "kysely";
import { CLOSE } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { NO_DOUBT } from "../hosts/instances.ts";
import type { NewHost } from "../hosts/insert.ts";
import { dispatchAll } from "../jobs/dispatch.ts";
import { announceEnded, type EndedJob, endOpenJobs } from "../jobs/reconcile.ts";
import type { Server } from "../server.ts";
import { letWait } from "../repositories/maintenance_hosts.ts";

export interface TakingBack extends Pick<NewHost, "bearerHash" | "enrolmentKeyHash" | "machine"> {
  hostId: string;
  /** What the caller calls that which names the host. */
  field: string;
}

export interface TakenBack {
  name: string;
  ended: EndedJob[];
}

/**
 * Gives the host to another agent: its bearer is replaced, keys that were accepted before open nothing, its jobs are over.
 * Id, name, groups, repository and snapshots stay. It is on hold, since a fresh machine must neither back up its emptiness
 * nor have retention go on, and gets no admin credential before an admin names it again. Throws not_found, and conflict while the old agent is connected.
 */
export async function takeBack(
  server: Server,
  tx: Transaction<Tables>,
  { hostId, bearerHash, enrolmentKeyHash, machine, field }: TakingBack,
): Promise<TakenBack> {
  const host = await tx.selectFrom("hosts").select(["name", "on_hold_since", "doubted_since"])
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.", field);
  // Of two machines with its identity one is always connected; afterTakingBack() closes it.
  if (host.doubted_since === null) refuseConnected(server, hostId, host.name, field);
  await tx.deleteFrom("accepted_keys").where("host_id", "=", hostId).execute();
  await tx.updateTable("hosts").set((expression) => ({
    bearer_hash: bearerHash,
    enrolment_key_hash: enrolmentKeyHash,
    awaits_agent: 1,
    ...NO_DOUBT,
    on_hold_since: host.on_hold_since ?? server.now(),
    plan_version: expression("plan_version", "+", 1),
    applied_plan_version: 0,
    // Whether this machine can open the repository nobody knows yet.
    repository_ready_at: null,
    repository_job_id: null,
    restic_problem: null,
    restic_problem_code: null,
    restic_problem_since: null,
    brakes: null,
    agent_problems: "[]",
    ...machine,
  })).where("id", "=", hostId).execute();
  await tx.deleteFrom("host_instances").where("host_id", "=", hostId).execute();
  await letWait(tx, server.now(), hostId);
  const ended = await endOpenJobs(
    server,
    tx,
    hostId,
    "The machine joined again before this job had ended.",
  );
  return { name: host.name, ended };
}

/** After that transaction. */
export async function afterTakingBack(
  server: Server,
  hostId: string,
  { ended }: TakenBack,
): Promise<void> {
  // An old agent that came in meanwhile.
  server.agents.close(hostId, CLOSE.unknownHost, "this host was given to another machine");
  for (const job of ended) announceEnded(server, job);
  server.events.publish({ type: "host", hostId });
  if (ended.length > 0) await dispatchAll(server);
}

/** Throws conflict. */
export function refuseConnected(
  server: Server,
  hostId: string,
  name: string,
  field: string,
): void {
  if (!server.agents.isOnline(hostId)) return;
  throw new AppError(
    "conflict",
    `The agent of ${name} is connected, so its place is not free. Stop that agent, or wait two minutes if its machine is gone, and try again.`,
    field,
  );
}
