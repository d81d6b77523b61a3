// Forget, prune and check of a repository: on one of the hosts that share it, one at a time in the whole fleet. What needs the
// admin credential runs only where an admin said.
import type { Transaction } from "kysely";
import { limitsOf, type OwnLimits } from "../../shared/bandwidth.ts";
import { messageOf } from "../../shared/problem_words.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { insertJob } from "../jobs/insert.ts";
import { refuseSecond } from "../jobs/one_open.ts";
import { dispatchStarted, type JobInput } from "../jobs/start.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Actor, Server } from "../server.ts";
import type { ForgetRequest } from "../retention/forget_request.ts";
import { needAdmin } from "../rights.ts";
import { usesAdminCredential } from "./admin_credential.ts";
import { allLocksOf, auditRemoveAll, refuseWhileInUse } from "./remove_locks.ts";
import { isMaintenance, KINDS, type RepositoryKind } from "../../shared/job_kinds/all.ts";
import { wantsAllRemoved } from "../jobs/remove_all_input.ts";
import { listMaintenanceHosts, noHostBecause } from "../repositories/maintenance_hosts.ts";

export interface MaintenanceRun {
  kind: RepositoryKind;
  /** Forget. */
  request?: ForgetRequest;
  /** A particular host; otherwise one is chosen. */
  hostId?: string;
  /** Unlock: every lock; checked by wantsAllRemoved(). The name that was typed. */
  removeAllOf?: string;
  /** This run's own. */
  limits?: OwnLimits;
  /** Belongs to the start: in its transaction, before anything is sent. What it throws undoes the start. */
  began?: (tx: Transaction<Tables>, jobId: string) => Promise<void>;
}

/**
 * Starts it now on a connected host. Throws forbidden for what needs an admin, conflict when no host may hold the admin
 * credential or the same is queued or running, agent_offline when no host that may run it is connected.
 */
export async function startMaintenance(
  server: Server,
  actor: Actor,
  repositoryId: string,
  run: MaintenanceRun,
): Promise<{ jobId: string; hostId: string }> {
  const repository = await getRepositoryRow(server, repositoryId);
  const { prepare, refuse } = server.kinds[run.kind];
  refuse?.(repository);
  refuseOthersThanAdmins(actor, repository, run);
  const prepared = await prepare?.(server, repository, { ...run.request });
  const removal = run.removeAllOf === undefined
    ? undefined
    : await allLocksOf(server, repositoryId, run.removeAllOf);
  const host = await chooseHost(server, repository, run);
  const request = {
    ...prepared,
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
    if (!isMaintenance(run.kind)) {
      await refuseSecond(tx, { hostId: host.id, hostName: host.name, kind: run.kind });
    }
    if (removal) await refuseWhileInUse(server, tx, repositoryId);
    const id = await insertJob(server, tx, actor, {
      hostId: host.id,
      host: { name: host.name, repository_id: repositoryId },
      kind: run.kind,
      ...(run.limits ? { limits: run.limits } : {}),
      request,
    });
    if (removal) await auditRemoveAll(server, tx, actor, { repository, jobId: id, removal });
    await run.began?.(tx, id);
    return id;
  });
  await dispatchStarted(server, host.id, [jobId]);
  return { jobId, hostId: host.id };
}

/** Throws forbidden with the field that makes it an admin's. */
function refuseOthersThanAdmins(
  actor: Actor,
  repository: Repository,
  { kind, request, hostId }: MaintenanceRun,
): void {
  if (usesAdminCredential(repository, kind, request)) {
    needAdmin(
      actor,
      "kind",
      `A ${kind} of this repository uses its admin credential: only admins start it.`,
    );
  }
  if (request?.may_drop_most) {
    needAdmin(actor, "may_drop_most", "may_drop_most lets most snapshots go: only admins say so.");
  }
  if (hostId && KINDS[kind].credential === "admin") {
    needAdmin(actor, "host_id", `host_id says where a ${kind} runs, which only admins do.`);
  }
}

type Repository = Parameters<typeof usesAdminCredential>[0] & { id: string; updated_at: number };

/**
 * A connected host, and never one that is away, so that nothing piles up behind it: one that is named for the admin
 * credential, and where that is not needed else the one that joined first. Nothing that agents say decides. Throws conflict,
 * invalid or agent_offline.
 */
export async function chooseHost(
  server: Server,
  repository: Repository,
  { kind, request, hostId }: MaintenanceRun,
  /** One that is about to be removed. */
  exceptId?: string,
): Promise<{ id: string; name: string }> {
  const all = await listMaintenanceHosts(server.db, repository.id);
  const named = all.filter(({ id }) => id !== exceptId);
  const mayHold = new Set(named.filter((host) => host.waits_since === null).map(({ id }) => id));
  const isAdminOnly = usesAdminCredential(repository, kind, request);
  const reason = isAdminOnly ? noHostBecause(named, repository) : null;
  if (reason) throw new AppError("conflict", messageOf(reason));
  if (isAdminOnly && hostId && !mayHold.has(hostId)) {
    const sentence =
      "host_id must be a host that is named for the admin credential of this repository.";
    throw new AppError("invalid", sentence, "host_id");
  }
  const hosts = await server.db.selectFrom("hosts").select(["id", "name"])
    .where("repository_id", "=", repository.id).where("restic_version", "is not", null)
    .where("doubted_since", "is", null)
    .orderBy("created_at").orderBy("id").execute();
  const able = hosts.filter(({ id }) =>
    id !== exceptId && server.agents.isOnline(id) && (!isAdminOnly || mayHold.has(id)) &&
    (hostId === undefined || id === hostId)
  );
  const host = able.find(({ id }) => mayHold.has(id)) ?? able[0];
  if (host) return host;
  throw new AppError(
    "agent_offline",
    isAdminOnly
      ? "No host that may hold the admin credential of this repository is connected; nothing was started."
      : "No host of this repository is connected; nothing was started.",
  );
}

/** The same on the host from whose page it is started. */
export async function startForHost(
  server: Server,
  actor: Actor,
  hostId: string,
  input: JobInput,
): Promise<string[]> {
  const { kind, dry_run, may_drop_most } = input;
  const host = await server.db.selectFrom("hosts").select("repository_id").where("id", "=", hostId)
    .executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  const isForAll = wantsAllRemoved(actor, input);
  const { jobId } = await startMaintenance(server, actor, host.repository_id, {
    kind: kind as RepositoryKind,
    hostId,
    ...(isForAll ? { removeAllOf: input.confirm_hostname! } : {}),
    limits: limitsOf(input),
    request: {
      ...(dry_run === undefined ? {} : { dry_run }),
      ...(may_drop_most === undefined ? {} : { may_drop_most }),
    },
  });
  return [jobId];
}
