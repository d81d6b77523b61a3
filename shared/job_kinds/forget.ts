// Removes the snapshots that no retention keeps.
import { z } from "zod";
import { id, text } from "../fields.ts";
import { keepsEverything, Retention } from "../retention.ts";
import { RepositoryAccess } from "../repository_access.ts";
import { fullSnapshotId } from "../restic_id.ts";
import type { JobKindTraits } from "./kind.ts";

/**
 * What goes and what stays of one source group, worked out by the server. The agent removes nothing but these ids, and
 * only where the repository itself says that they have this host and these tags, and that all of `keep` is there.
 */
export const ForgetOrder = z.object({
  source_group_id: id.nullable(),
  /** The group and its host, for people. */
  tag: z.string().min(1).max(200),
  host: z.string().min(1).max(255),
  /** The policy that it was worked out with; null when a person named the snapshots. */
  retention: Retention.refine((policy) => !keepsEverything(policy), "must keep something")
    .nullable(),
  snapshots: z.array(z.object({
    host: z.string().max(255),
    tags: z.array(z.string().max(200)).max(100),
    /** By their first 16 digits or more. */
    keep: z.array(z.string().regex(/^[0-9a-f]{16,64}$/)),
    remove: z.array(fullSnapshotId),
  })).max(1000),
  /** Nothing of this group may go before a person agrees; the sentence says why. */
  held: z.string().max(1000).optional(),
});

export type ForgetOrder = z.infer<typeof ForgetOrder>;

export const forget = {
  writes: true,
  lease: "exclusive",
  credential: "admin",
  usesRepository: true,
  listsWhole: true,
  isMaintenance: true,
  startedFrom: ["host", "repository"],
  input: {
    /** Only say what would go. */
    dry_run: z.boolean("must be true or false").optional(),
    /** Go on although most snapshots of a group would go. Admins. */
    may_drop_most: z.boolean("must be true or false").optional(),
  },
  order: {
    /** Which snapshots of which group go. */
    forget: z.array(ForgetOrder).max(1000).optional(),
    dry_run: z.boolean().optional(),
    /** The credential that may delete. It lives in the agent's memory for this job and is never written to its disk. */
    admin_access: RepositoryAccess.optional(),
  },
  result: {
    /** What each order came to; `left` is counted by a list that was read afterwards. */
    forgotten: z.array(z.object({
      source_group_id: id.nullable().optional(),
      /** All that was ordered is gone, and all that was to stay is there. */
      done: z.boolean().optional(),
      tag: text(200),
      host: text(255),
      keep: z.int().min(0),
      remove: z.int().min(0),
      left: z.int().min(0).nullable(),
    })).max(1000).optional(),
  },
} as const satisfies JobKindTraits;
