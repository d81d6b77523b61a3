import type { OwnLimits } from "../../shared/bandwidth.ts";
import type { Transaction } from "kysely";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import type { Actor, Server } from "../server.ts";
import { type JobKind, KINDS } from "../../shared/job_kinds/all.ts";

interface NewJob {
  hostId: string;
  host: { name: string; repository_id: string };
  kind: JobKind;
  /** This run's own. */
  limits?: OwnLimits;
  group?: { id: string; name: string } | null;
  /** The schedule that a person runs now: this is its last run. */
  scheduleId?: string | null;
  /** What the schema of its kind reads again (request.ts). */
  request?: Record<string, unknown>;
  /** For the audit, besides the host. */
  detail?: Record<string, unknown>;
}

/** A queued row and its audit entry; to be dispatched after the transaction. Returns the job's id. */
export async function insertJob(
  server: Server,
  tx: Transaction<Tables>,
  actor: Actor,
  { hostId, host, kind, limits = {}, group = null, scheduleId = null, request, detail }: NewJob,
): Promise<string> {
  const id = newId();
  await tx.insertInto("jobs").values({
    id,
    host_id: hostId,
    repository_id: host.repository_id,
    kind,
    status: "queued",
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    source_group_id: group?.id ?? null,
    source_group_name: group?.name ?? null,
    schedule_id: scheduleId,
    scheduled_at: null,
    created_at: server.now(),
    received_at: server.now(),
    warnings: 0,
    bandwidth_up_kib_per_s: limits.bandwidth_up_kib_per_s ?? null,
    bandwidth_down_kib_per_s: limits.bandwidth_down_kib_per_s ?? null,
    request: request && Object.keys(request).length > 0 ? JSON.stringify(request) : null,
  }).execute();
  if (KINDS[kind].lease === "making") {
    await tx.updateTable("hosts").set({ repository_job_id: id }).where("id", "=", hostId).execute();
  }
  await recordAudit(tx, server.now(), actor, {
    action: "job.started",
    target: { kind: "job", id, name: group ? `${kind} ${group.name}` : kind },
    detail: { host_id: hostId, host: host.name, ...detail },
  });
  return id;
}
