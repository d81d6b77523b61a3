import type { Transaction } from "kysely";
import type { Ended } from "../jobs/kind.ts";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "../jobs/find.ts";
import { isDryRun } from "../jobs/request.ts";
import { isMaintenance, type MaintenanceKind } from "../../shared/job_kinds/all.ts";

/** Keeps what a forget, prune or check came to with its repository; a dry run is none. */
export async function noteMaintenance(
  tx: Transaction<Tables>,
  job: JobRow,
  ended: Ended,
): Promise<void> {
  if (!isMaintenance(job.kind) || isDryRun(job)) return;
  const kind: MaintenanceKind = job.kind;
  const row = await tx.selectFrom("maintenance").select("failing_since")
    .where("repository_id", "=", job.repository_id).where("kind", "=", kind).executeTakeFirst();
  if (!row) return;
  const succeeded = ended.status === "succeeded";
  await tx.updateTable("maintenance").set({
    last_job_id: job.id,
    last_at: ended.at,
    last_status: ended.status,
    last_reason: ended.reason,
    last_reason_code: ended.reason_code,
    failing_since: succeeded ? null : row.failing_since ?? ended.at,
    ...(succeeded ? { last_success_at: ended.at } : {}),
  }).where("repository_id", "=", job.repository_id).where("kind", "=", kind).execute();
}
