// The maintenance of a new repository.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { MAINTENANCE_KINDS } from "../../shared/job_kinds/all.ts";

const DEFAULTS = {
  forget: { cron: "0 3 * * *", read_data_percent: null },
  prune: { cron: "0 4 * * 0", read_data_percent: null },
  check: { cron: "0 5 1 * *", read_data_percent: 5 },
};

/** With a new repository: forget daily, prune weekly, check monthly with a twentieth of the data. */
export async function insertMaintenance(
  tx: Transaction<Tables>,
  repositoryId: string,
  now: number,
): Promise<void> {
  await tx.insertInto("maintenance").values(MAINTENANCE_KINDS.map((kind) => ({
    repository_id: repositoryId,
    kind,
    enabled: 1,
    ...DEFAULTS[kind],
    considered_at: now,
  }))).execute();
}
