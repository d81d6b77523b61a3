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

/** A person's word that no retention here may remove the snapshot. */
export const SnapshotPin = z.object({
  by: z.string(),
  at: Time,
  reason: z.string(),
}).meta({ id: "SnapshotPin" });
export type SnapshotPin = z.infer<typeof SnapshotPin>;

/** What tells a person beside the facts of a list whether a snapshot is worth restoring. */
export const SnapshotMarks = z.object({
  /** The job that made it; null: none that is known here. */
  job_id: z.string().nullable(),
  /** How long that job took. */
  seconds: z.number().nullable(),
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  /** Its job had warnings or did not succeed; null: no job that is known here made it. */
  incomplete: z.boolean().nullable(),
  /** Less than half of the files or of the bytes of the one before with the same host name and tags. */
  much_smaller: z.boolean(),
  pinned: z.boolean(),
  pin: SnapshotPin.nullable(),
  /** Whether a source group governs it: retention counts it, and may remove it. */
  ours: z.boolean(),
  /** Not counted until a person says on its job that it is right. */
  withheld: z.boolean(),
});
export type SnapshotMarks = z.infer<typeof SnapshotMarks>;

/** A snapshot in the list of all hosts and repositories. */
export const ListedSnapshot = SnapshotMarks.extend({
  id: z.string(),
  repository_id: z.string(),
  time: Time,
  /** The host name that it carries. */
  host: z.string(),
  /** The host in whose list it is; null: no host that is here lists it. */
  host_id: z.string().nullable(),
  tags: z.array(z.string()),
  paths: z.array(z.string()),
  /** False of a pinned one that no list in force holds any more. */
  listed: z.boolean(),
}).meta({ id: "ListedSnapshot" });
export type ListedSnapshot = z.infer<typeof ListedSnapshot>;

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
  /** How many of them are pinned, which a forget leaves there. */
  pinned: z.number(),
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
