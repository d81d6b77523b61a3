// A check reads its share of the data, and the next check the next share, so that in time all of it has been read.
import type { Transaction } from "kysely";
import { z } from "zod";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "../jobs/find.ts";
import { requestOf } from "../jobs/request.ts";
import type { Server } from "../server.ts";

const KIND = "check";

export const CheckRequest = z.object({
  /** The part of the data to read. */
  read_data: z.object({ part: z.int(), parts: z.int() }).optional(),
});
export type CheckRequest = z.infer<typeof CheckRequest>;

/** What the next check of a repository reads: 5 % is one part of twenty. */
export async function partToRead({ db }: Server, repositoryId: string): Promise<CheckRequest> {
  const row = await db.selectFrom("maintenance").select(["read_data_percent", "next_part"])
    .where("repository_id", "=", repositoryId).where("kind", "=", KIND).executeTakeFirst();
  if (!row?.read_data_percent) return {};
  const parts = Math.max(1, Math.round(100 / row.read_data_percent));
  return { read_data: { part: Math.min(row.next_part, parts), parts } };
}

/** After a check that found no damage. */
export async function noteChecked(tx: Transaction<Tables>, job: JobRow): Promise<void> {
  const { read_data } = requestOf(job, CheckRequest);
  if (!read_data) return;
  await tx.updateTable("maintenance").set({ next_part: read_data.part % read_data.parts + 1 })
    .where("repository_id", "=", job.repository_id).where("kind", "=", KIND).execute();
}
