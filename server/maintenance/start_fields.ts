// What starts a job of a repository.
import { z } from "zod";
import { bandwidthCap, id } from "../../shared/fields.ts";
import { RemoveAllWish } from "./remove_locks.ts";

const KINDS = ["forget", "prune", "check", "unlock", "stats"] as const;

export const RepositoryJobWish = z.strictObject({
  kind: z.enum(KINDS, { error: `must be one of ${KINDS.join(", ")}` }),
  /** On this host, for admins; otherwise a connected one is chosen. */
  host_id: id.nullable().optional(),
  dry_run: z.boolean("must be true or false").optional(),
  may_drop_most: z.boolean("must be true or false").optional(),
  ...RemoveAllWish,
  bandwidth_up_kbps: bandwidthCap.optional(),
  bandwidth_down_kbps: bandwidthCap.optional(),
});
