// Snapshots as a host lists them, and those in a repository that no source group governs.
import { z } from "zod";
import { listOf } from "./list.ts";
import { Time } from "./time.ts";

export const Snapshot = z.object({
  id: z.string(),
  time: Time,
  tags: z.array(z.string()),
  paths: z.array(z.string()),
  hostname: z.string(),
  username: z.string().nullable(),
  parent: z.string().nullable(),
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  bytes_added: z.number().nullable(),
  /** The job that made it; null: it was made by a restic that is not ours, or before the host joined. */
  job_id: z.string().nullable(),
  /** Whether a source group governs it: retention counts it, and may remove it. */
  ours: z.boolean(),
  /** Not counted until a person says on its job that it is right. */
  withheld: z.boolean(),
}).meta({ id: "Snapshot" });
export type Snapshot = z.infer<typeof Snapshot>;

/** Snapshots that vanished from a host's list without a forget of ours. */
export const SnapshotLoss = z.object({
  noticed_at: Time,
  count: z.number(),
  newest_time: z.number().describe("Of the newest of them, in milliseconds since 1970"),
});
export type SnapshotLoss = z.infer<typeof SnapshotLoss>;

/** The list that the host handed in last, newest first. */
export const SnapshotList = listOf(Snapshot, {
  refreshed_at: Time.nullable(),
  losses: z.array(SnapshotLoss),
});
export type SnapshotList = z.infer<typeof SnapshotList>;

/** Snapshots with one host name and the same tags. */
export const Ungoverned = z.object({
  hostname: z.string(),
  tags: z.array(z.string()),
  count: z.number(),
  oldest_at: Time,
  newest_at: Time,
  /** Who decided to keep them, or null. */
  kept_by: z.string().nullable(),
});
export type Ungoverned = z.infer<typeof Ungoverned>;

/** `listed_at` null: no maintenance has listed the snapshots of all hosts yet. */
export const UngovernedList = z.object({
  listed_at: Time.nullable(),
  items: z.array(Ungoverned),
});
export type UngovernedList = z.infer<typeof UngovernedList>;
