// Writes files of a snapshot to a machine.
import { z } from "zod";
import { absolutePath, id, text } from "../fields.ts";
import { RepositoryAccess } from "../repository_access.ts";
import { fullSnapshotId } from "../restic_id.ts";
import { readSnapshotPath, SNAPSHOT_PATH_LIMIT } from "../snapshot_path.ts";
import type { JobKindTraits } from "./kind.ts";

/** What becomes of a file that is there and differs (restic restore --overwrite; in place, from restic 0.17 on). */
export const OVERWRITES = ["never", "if-changed", "if-newer", "always"] as const;
export type Overwrite = typeof OVERWRITES[number];

export const RESTORE_ITEMS_LIMIT = 5000;
/** Characters of all items of a restore together, so that the order fits into a frame. */
export const RESTORE_CHARACTERS_LIMIT = 400_000;
/** Failed items that a result names; the log of the job has more. */
export const FAILURES_TOLD = 100;

/** The place of a file or folder in a snapshot, as snapshot_path.ts reads it. */
export const exactPath = z.string("must be text").max(SNAPSHOT_PATH_LIMIT).superRefine(
  (path, context) => {
    try {
      readSnapshotPath(path);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  },
);

const TARGET = 'must be {"kind": "folder"} or {"kind": "original"}';

const folderTarget = z.object({
  kind: z.literal("folder"),
  /** New, empty, or the unfinished one of the same restore. */
  path: absolutePath,
  /** With the whole path below the folder (/srv/restore/home/anna/letters), else the chosen item alone (/srv/restore/letters). */
  keep_paths: z.boolean("must be true or false").optional(),
});

/** Over what is there now, where the files were when they were backed up. */
const originalTarget = z.object({ kind: z.literal("original") });

export const RestoreOrder = z.object({
  snapshot: fullSnapshotId,
  items: z.array(exactPath).min(1).max(RESTORE_ITEMS_LIMIT),
  target: z.discriminatedUnion("kind", [folderTarget, originalTarget]),
  /** The folders, with links resolved, one of which a folder must lie in; null where an admin asks. */
  within: z.array(z.string().max(4096)).max(1000).nullable(),
  overwrite: z.enum(OVERWRITES),
  /** Only say what would be written. */
  dry_run: z.boolean(),
  /** Read all that was written once more and compare it with the repository. */
  verify: z.boolean(),
  /** Back up what is there now first, as a snapshot of its own. In place. */
  undo: z.boolean(),
});
export type RestoreOrder = z.infer<typeof RestoreOrder>;

const count = z.int().min(0);

/** An item that is not as it is in the snapshot, and why. */
export const RestoreFailure = z.object({ path: text(4096), problem: text(500) });
export type RestoreFailure = z.infer<typeof RestoreFailure>;

/** What a restore came to; of a dry run, what it would come to. Folders are counted with the files. */
export const RestoreResult = z.object({
  /** What the chosen items hold, and the bytes of their files. */
  entries: count,
  bytes: count,
  written: count,
  /** There already, with the same content. */
  same: count,
  /** There already, and left as the order of the restore says. */
  kept: count,
  /** Not there, or not with the right content. */
  failed: count,
  /** Whole, but without an owner, a mode, a time, an access list or an extended attribute. */
  attributes: count,
  failures: z.array(RestoreFailure).max(FAILURES_TOLD),
  /** The folder, with all links resolved; null in place. */
  target: text(4096).nullable(),
  /** Whose the folder is now, as a number of a user; null where it is the agent's own. */
  opened_for: z.int().nullable(),
  /** What is there was looked at when it was done: else only what was told to have gone wrong is counted. */
  checked: z.boolean(),
  /** restic read all of it again. */
  verified: z.boolean(),
  /** An unfinished restore was gone on with. */
  continued: z.boolean(),
  /** The snapshot of what was there before. */
  undo_snapshot: fullSnapshotId.nullable(),
});
export type RestoreResult = z.infer<typeof RestoreResult>;

const ITEMS = 'must be a list such as [{"path": "/home/anna/letters"}]';

export const restore = {
  writes: true,
  lease: "shared",
  credential: "repository",
  usesRepository: true,
  listsWhole: false,
  isMaintenance: false,
  startedFrom: ["host"],
  input: {
    /** The snapshot, or a beginning of its id that only it has: 8 digits or more. */
    snapshot_id: z.string("must be text").regex(
      /^[0-9a-f]{8,64}$/,
      "must be a snapshot's id or its beginning: 8 to 64 of the digits 0 to 9 and a to f",
    ).optional(),
    /** Where a snapshot is in more than one. */
    repository_id: id.optional(),
    /** What: by path, or by the bytes of the path in base64. */
    items: z.array(
      z.union([
        z.strictObject({ path: exactPath }),
        z.strictObject({ path_bytes: z.base64("must be base64").max(SNAPSHOT_PATH_LIMIT) }),
      ], ITEMS),
      ITEMS,
    ).min(1, ITEMS).max(RESTORE_ITEMS_LIMIT, `must be at most ${RESTORE_ITEMS_LIMIT} items`)
      .optional(),
    /** Where to. Without a path a new folder is proposed. In place, confirm_hostname is the name of the host that is restored to. */
    target: z.discriminatedUnion("kind", [
      folderTarget.partial({ path: true }).strict(),
      originalTarget.extend({ confirm_hostname: z.string("must be text").max(255) }).strict(),
    ], TARGET).optional(),
    overwrite: z.enum(OVERWRITES, `must be one of ${OVERWRITES.join(", ")}`).optional(),
    dry_run: z.boolean("must be true or false").optional(),
    verify: z.boolean("must be true or false").optional(),
    /** In place: back up what is there now first. True without a word. */
    undo: z.boolean("must be true or false").optional(),
  },
  order: {
    restore: RestoreOrder.optional(),
    /** Of a repository that is not this host's own. It lives in the agent's memory for this job and is never written to its disk. */
    reader_access: RepositoryAccess.optional(),
  },
  result: { restored: RestoreResult.optional() },
} as const satisfies JobKindTraits;
