// What a job is asked beyond its kind.
import { z } from "zod";
import { HOOK_NAMES } from "../../shared/hooks.ts";
import { Retention } from "../../shared/retention.ts";

export const JobRequest = z.object({
  /** Init: the place was cleared by hand, so a new repository may be made. */
  reinit: z.boolean().optional(),
  /** Hook: the one to try. */
  hook: z.enum(HOOK_NAMES).optional(),
  /** Forget: only say what would go. */
  dry_run: z.boolean().optional(),
  /** Forget: a person agreed that most snapshots of a group go. */
  may_drop_most: z.boolean().optional(),
  /** Forget, dry run: this group with this policy, which is not saved yet. */
  preview: z.object({ source_group_id: z.string(), retention: Retention }).optional(),
  /** Unlock: all of these locks, of which an admin typed the holder's name. */
  remove_all: z.object({ hostname: z.string(), locks: z.array(z.string()) }).optional(),
  /** Check: the part of the data to read. */
  read_data: z.object({ part: z.int(), parts: z.int() }).optional(),
});
export type JobRequest = z.infer<typeof JobRequest>;

export function readRequest(text: string | null): JobRequest {
  return text === null ? {} : JobRequest.parse(JSON.parse(text));
}
