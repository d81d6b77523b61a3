// What a job is asked beyond its kind.
import { z } from "zod";
import { HOOK_NAMES } from "../../shared/hooks.ts";

export const NamedForget = z.object({
  /** For people; the tags are blank when all of a host go. */
  hostname: z.string(),
  tags: z.array(z.string()),
  places: z.array(
    z.object({ host: z.string(), tags: z.array(z.string()), remove: z.array(z.string()) }),
  ),
});
export type NamedForget = z.infer<typeof NamedForget>;

export const JobRequest = z.object({
  /** Init: the place was cleared by hand, so a new repository may be made. */
  reinit: z.boolean().optional(),
  /** Hook: the one to try. */
  hook: z.enum(HOOK_NAMES).optional(),
  /** Forget: only say what would go. */
  dry_run: z.boolean().optional(),
  /** Forget: a person agreed that most snapshots of a group go. */
  may_drop_most: z.boolean().optional(),
  /** Forget: these alone, which no group governs, as an admin asked. */
  named: NamedForget.optional(),
  /** Unlock: all of these locks, of which an admin typed the holder's name. */
  remove_all: z.object({ hostname: z.string(), locks: z.array(z.string()) }).optional(),
  /** Check: the part of the data to read. */
  read_data: z.object({ part: z.int(), parts: z.int() }).optional(),
});
export type JobRequest = z.infer<typeof JobRequest>;

export function readRequest(text: string | null): JobRequest {
  return text === null ? {} : JobRequest.parse(JSON.parse(text));
}
