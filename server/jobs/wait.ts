// Nothing waits for ever. A job that another one keeps from beginning fails after four hours, a backup that a person started after
// half an hour, and says who was in its way, so that an agent which says that its backup runs and runs holds up nobody for good:
// what is due is due again the next time. The time is counted while the server runs (clock.ts).
import { hasEnded } from "../../shared/job.ts";
import { isDoubted } from "../hosts/instances.ts";
import type { Server } from "../server.ts";
import { dispatchAll, failUnsent, holdsUp } from "./dispatch.ts";
import type { JobRow } from "./find.ts";
import { type Holder, takeOrFindHolder } from "./lease.ts";
import { WAITED_TOO_LONG } from "./reason_codes.ts";
import { isMaintenance, JOB_KINDS } from "../../shared/job_kinds/all.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const lookedAt = new WeakMap<Server, number>();

/** Run every minute. */
export async function endTooLongWaits(server: Server): Promise<void> {
  const now = server.clock.ran();
  const passed = now - (lookedAt.get(server) ?? now);
  lookedAt.set(server, now);
  await server.db.updateTable("jobs")
    .set((expression) => ({ waited_ms: expression("waited_ms", "+", Math.round(passed)) }))
    .where("status", "=", "queued").execute();
  const rows = await server.db.selectFrom("jobs").innerJoin("hosts", "hosts.id", "jobs.host_id")
    .selectAll("jobs").where("status", "=", "queued")
    .where(
      "waited_ms",
      ">=",
      Math.min(...JOB_KINDS.map((kind) => server.kinds[kind].longestWaitMs)),
    )
    .orderBy("number").execute();
  let hasEnded = false;
  for (const job of rows) hasEnded = await endOne(server, job) || hasEnded;
  if (hasEnded) await dispatchAll(server);
}

async function endOne(server: Server, job: JobRow): Promise<boolean> {
  const longest = server.kinds[job.kind].longestWaitMs;
  if (job.waited_ms < longest) return false;
  // What the host has received waits in its own queue, where a first backup may take days; only maintenance, which others wait
  // for in turn, does not wait for that, nor a person for a maintenance.
  if (job.dispatched_at !== null && !isMaintenance(job.kind) && !await isBehindLease(server, job)) {
    return false;
  }
  const why = await inTheWay(server, job);
  // It was only now that its turn came.
  if (why === undefined) return false;
  await failUnsent(server, job, `Waited ${inWordsOf(longest)} for ${why}`, WAITED_TOO_LONG);
  if (job.dispatched_at !== null) {
    server.agents.send(job.host_id, { type: "command.cancel", job_id: job.id });
  }
  return true;
}

function inWordsOf(ms: number): string {
  return ms < HOUR ? `${ms / MINUTE} minutes` : `${ms / HOUR} hours`;
}

/** Another job of its host holds a lease, and this one waits for it in the agent's queue. */
async function isBehindLease({ db }: Server, job: JobRow): Promise<boolean> {
  const held = await db.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .select("jobs.id").where("host_id", "=", job.host_id).where("jobs.status", "=", "running")
    .where("jobs.id", "!=", job.id).executeTakeFirst();
  return held !== undefined;
}

/** A phrase that ends with a full stop; undefined when nothing is in the way any more. */
async function inTheWay(server: Server, job: JobRow): Promise<string | undefined> {
  if (await isDoubted(server.db, job.host_id)) {
    return `an admin to say which of two machines ${await hostName(server, job.host_id)} is.`;
  }
  const own = await runningOrEarlier(server, job);
  if (own) return await holderInWords(server, own);
  if (job.dispatched_at !== null) {
    return `${await hostName(server, job.host_id)}, which was sent it and has not begun it.`;
  }
  const holder = await takeOrFindHolder(server, job) ?? await holderOfEarlier(server, job);
  return holder ? await holderInWords(server, holder) : undefined;
}

/** Who is in the way of a job of the same host that is to be sent before. */
async function holderOfEarlier(server: Server, job: JobRow): Promise<Holder | undefined> {
  const earlier = await server.db.selectFrom("jobs").selectAll().where("host_id", "=", job.host_id)
    .where("status", "=", "queued").where("dispatched_at", "is", null)
    .where("number", "<", job.number).orderBy("number").execute();
  for (const each of earlier.filter(({ kind }) => holdsUp(server, kind, job.kind))) {
    const holder = await takeOrFindHolder(server, each);
    if (holder) return holder;
  }
  return undefined;
}

/** Another job of the same host, which its agent runs or is to run before. */
async function runningOrEarlier({ db }: Server, job: JobRow): Promise<Holder | undefined> {
  if (job.dispatched_at === null) return undefined;
  return await db.selectFrom("jobs").select(["id as jobId", "host_id as hostId"])
    .where("host_id", "=", job.host_id).where("id", "!=", job.id)
    .where((is) =>
      is.or([
        is("status", "=", "running"),
        is.and([
          is("status", "=", "queued"),
          is("dispatched_at", "is not", null),
          is("number", "<", job.number),
        ]),
      ])
    ).orderBy("status", "desc").orderBy("number").executeTakeFirst();
}

/** As the end of a sentence, with its full stop. */
export async function holderInWords(server: Server, holder: Holder): Promise<string> {
  if ("what" in holder) return `${holder.what}, which reads the repository.`;
  const { jobId, hostId } = holder;
  const job = await server.db.selectFrom("jobs").select(["kind", "status"]).where("id", "=", jobId)
    .executeTakeFirst();
  const name = await hostName(server, hostId);
  const kind = job?.kind ?? "job";
  // Its lease outlives what is only presumed.
  const how = !job || hasEnded(job.status) ? "may still run" : `is ${job.status}`;
  const away = server.agents.isOnline(hostId) ? "" : `, and ${name} is offline`;
  return `${name}: its ${kind} ${how} (job ${jobId})${away}.`;
}

async function hostName({ db }: Server, hostId: string): Promise<string> {
  const host = await db.selectFrom("hosts").select("name").where("id", "=", hostId)
    .executeTakeFirst();
  return host?.name ?? "a host that is gone";
}
