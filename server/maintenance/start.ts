// Forget, prune and check of a repository: on one of the hosts that share it, one at a time in the whole fleet.
import { isMaintenance, type RunnableKind } from "../../shared/job.ts";
import { AppError } from "../errors.ts";
import { dispatchJobs } from "../jobs/dispatch.ts";
import { insertJob } from "../jobs/insert.ts";
import type { JobRequest } from "../jobs/request.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Actor, Server } from "../server.ts";
import { hasPolicy } from "../retention/orders.ts";
import { allLocksOf, auditRemoveAll, refuseWhileInUse } from "./remove_locks.ts";

export interface MaintenanceRun {
  kind: Extract<RunnableKind, "forget" | "prune" | "check" | "unlock" | "stats">;
  request?: JobRequest;
  /** A particular host; otherwise one is chosen. */
  hostId?: string;
  /** Unlock: every lock; checked by wantsAllRemoved(). The name that was typed. */
  removeAllOf?: string;
  /** This run's own. */
  caps?: { bandwidth_up_kbps?: number | null; bandwidth_down_kbps?: number | null };
}

/** Starts it now on a connected host. Throws agent_offline when none is, conflict when the same is queued or running. */
export async function startMaintenance(
  server: Server,
  actor: Actor,
  repositoryId: string,
  run: MaintenanceRun,
): Promise<{ jobId: string; hostId: string }> {
  const repository = await getRepositoryRow(server, repositoryId);
  if (run.kind === "prune" && repository.admin_set !== 1) {
    throw new AppError(
      "conflict",
      "Prune deletes data and needs the admin credential of this repository; set it first.",
    );
  }
  if (
    run.kind === "forget" && !run.request?.named && !await hasPolicy(server, repositoryId)
  ) {
    throw new AppError(
      "conflict",
      "No source group that uses this repository has a retention policy (those of hosts that are on hold do not count), so there is nothing to forget.",
    );
  }
  const removal = run.removeAllOf === undefined
    ? undefined
    : await allLocksOf(server, repositoryId, run.removeAllOf);
  const host = await chooseHost(server, repositoryId, run.hostId);
  if (!host) {
    throw new AppError(
      "agent_offline",
      "No host of this repository is connected; nothing was started.",
    );
  }
  const request = {
    ...await partToRead(server, repositoryId, run.kind),
    ...run.request,
    ...(removal ? { remove_all: removal } : {}),
  };
  const jobId = await server.db.transaction().execute(async (tx) => {
    const open = await tx.selectFrom("jobs").select("id").where("repository_id", "=", repositoryId)
      .where("kind", "=", run.kind).where("status", "in", ["queued", "running"]).executeTakeFirst();
    if (open && isMaintenance(run.kind)) {
      throw new AppError(
        "conflict",
        `A ${run.kind} of this repository is already queued or running.`,
      );
    }
    if (removal) await refuseWhileInUse(server, tx, repositoryId);
    const id = await insertJob(server, tx, actor, {
      hostId: host.id,
      host: { name: host.name, repository_id: repositoryId },
      wish: { kind: run.kind, ...run.caps },
      group: null,
      request,
    });
    if (removal) await auditRemoveAll(server, tx, actor, { repository, jobId: id, removal });
    return id;
  });
  await dispatchJobs(server, host.id);
  server.events.publish({ type: "job", jobId, hostId: host.id, status: "queued" });
  return { jobId, hostId: host.id };
}

/** The connected host with the newest restic; never one that is away, so that nothing piles up behind it. */
async function chooseHost(
  server: Server,
  repositoryId: string,
  wanted?: string,
): Promise<{ id: string; name: string } | undefined> {
  const hosts = await server.db.selectFrom("hosts").select(["id", "name", "restic_version"])
    .where("repository_id", "=", repositoryId).where("restic_version", "is not", null).orderBy(
      "name",
    ).execute();
  const online = hosts.filter((host) =>
    server.agents.isOnline(host.id) && (wanted === undefined || host.id === wanted)
  );
  const newest = new Intl.Collator("en", { numeric: true });
  return online.sort((a, b) => newest.compare(b.restic_version!, a.restic_version!))[0];
}

/** A check reads its share of the data: 5 % is one part of twenty. */
async function partToRead({ db }: Server, repositoryId: string, kind: string): Promise<JobRequest> {
  if (kind !== "check") return {};
  const row = await db.selectFrom("maintenance").select(["read_data_percent", "next_part"])
    .where("repository_id", "=", repositoryId).where("kind", "=", "check").executeTakeFirst();
  if (!row?.read_data_percent) return {};
  const parts = Math.max(1, Math.round(100 / row.read_data_percent));
  return { read_data: { part: Math.min(row.next_part, parts), parts } };
}
