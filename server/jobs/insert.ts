import type { Transaction } from "kysely";
import type { RunnableKind } from "../../shared/job.ts";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import type { Actor, Server } from "../server.ts";
import type { JobRequest } from "./request.ts";

interface NewJob {
  hostId: string;
  host: { name: string; repository_id: string };
  wish: {
    kind: RunnableKind | "hook";
    bandwidth_up_kbps?: number | null | undefined;
    bandwidth_down_kbps?: number | null | undefined;
  };
  group: { id: string; name: string } | null;
  /** The schedule that a person runs now: this is its last run. */
  scheduleId?: string | null;
  request?: JobRequest;
}

/** A queued row and its audit entry; to be dispatched after the transaction. Answers the job's id. */
export async function insertJob(
  server: Server,
  tx: Transaction<Tables>,
  actor: Actor,
  { hostId, host, wish, group, scheduleId = null, request }: NewJob,
): Promise<string> {
  const id = newId();
  await tx.insertInto("jobs").values({
    id,
    host_id: hostId,
    repository_id: host.repository_id,
    kind: wish.kind,
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
    bandwidth_up_kbps: wish.bandwidth_up_kbps ?? null,
    bandwidth_down_kbps: wish.bandwidth_down_kbps ?? null,
    request: request && Object.keys(request).length > 0 ? JSON.stringify(request) : null,
  }).execute();
  if (wish.kind === "init") {
    await tx.updateTable("hosts").set({ repository_job_id: id }).where("id", "=", hostId).execute();
  }
  await recordAudit(tx, server.now(), actor, {
    action: "job.started",
    target: { kind: "job", id, name: group ? `${wish.kind} ${group.name}` : wish.kind },
    detail: { host_id: hostId, host: host.name },
  });
  return id;
}
