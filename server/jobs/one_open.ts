import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { JobKind } from "../../shared/job_kinds/all.ts";

/** Throws conflict when a job of this kind is queued or running on the host already: a second one would say the same. */
export async function refuseSecond(
  tx: Transaction<Tables>,
  { hostId, hostName, kind }: { hostId: string; hostName: string; kind: JobKind },
): Promise<void> {
  const open = await tx.selectFrom("jobs").select("id").where("host_id", "=", hostId)
    .where("kind", "=", kind).where("status", "in", ["queued", "running"]).executeTakeFirst();
  if (!open) return;
  throw new AppError(
    "conflict",
    `${kind} of ${hostName} is already queued or running; wait for it, or cancel it.`,
  );
}
