// What a restore is asked for, as its job keeps it; its items stand in a table of their own.
import { z } from "zod";
import type { Overwrite } from "../../shared/job_kinds/restore.ts";
import { RestoreAsked } from "../../shared/shapes/job.ts";
import { fullSnapshotId } from "../../shared/restic_id.ts";

export const RestoreRequest = RestoreAsked.extend({
  snapshot: fullSnapshotId,
  /** The folders of the host that a target must lie in; null where an admin asked. */
  within: z.array(z.string()).nullable(),
  dry_run: z.boolean(),
  undo: z.boolean(),
  /** Only an admin may have it run. */
  needs_admin: z.boolean(),
});
export type RestoreRequest = z.infer<typeof RestoreRequest>;

/** What a person asks for. */
export interface RestoreWish {
  items: string[];
  target:
    | { kind: "folder"; path?: string | undefined; keep_paths?: boolean | undefined }
    | { kind: "original"; confirm_hostname: string };
  overwrite?: Overwrite | undefined;
  dry_run?: boolean | undefined;
  verify?: boolean | undefined;
  undo?: boolean | undefined;
}

export const FIRST_ITEMS = 20;
