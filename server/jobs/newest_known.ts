// What was known of snapshots when a job began.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";

/** The newest number of a snapshot that is known; what has a higher one was heard of later. */
export async function newestKnown(tx: Transaction<Tables>): Promise<number> {
  const row = await tx.selectFrom("known_snapshots")
    .select((expression) => expression.fn.max("number").as("number")).executeTakeFirst();
  return row?.number ?? 0;
}
