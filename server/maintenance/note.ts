import type { Transaction } from "kysely";
import { isMaintenance, type MaintenanceKind } from "../../shared/job.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "../jobs/find.ts";
import { readRequest } from "../jobs/request.ts";

type Ended = Pick<JobFinished, "at" | "status" | "reason" | "reason_code">;

/** Keeps what a forget, prune or check came to with its repository; a dry run is none. */
export async function noteMaintenance(
  tx: Transaction<Tables>,
  job: JobRow,
  ended: Ended,
): Promise<void> {
  if (!isMaintenance(job.kind) || readRequest(job.request).dry_run) return;
  const kind: MaintenanceKind = job.kind;
  const row = await tx.selectFrom("maintenance").select(["failing_since", "next_part"])
    .where("repository_id", "=", job.repository_id).where("kind", "=", kind).executeTakeFirst();
  if (!row) return;
  const succeeded = ended.status === "succeeded";
  const { read_data } = readRequest(job.request);
  await tx.updateTable("maintenance").set({
    last_job_id: job.id,
    last_at: ended.at,
    last_status: ended.status,
    last_reason: ended.reason,
    last_reason_code: ended.reason_code,
    failing_since: succeeded ? null : row.failing_since ?? ended.at,
    ...(succeeded ? { last_success_at: ended.at } : {}),
    // The next check reads the next part, so that in time all data has been read.
    ...(succeeded && read_data ? { next_part: read_data.part % read_data.parts + 1 } : {}),
  }).where("repository_id", "=", job.repository_id).where("kind", "=", kind).execute();
}
