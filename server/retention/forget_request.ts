// What a forget is asked beyond its kind.
import { z } from "zod";

export const NamedForget = z.object({
  /** For people; the tags are blank when all of a host go. */
  hostname: z.string(),
  tags: z.array(z.string()),
  places: z.array(
    z.object({ host: z.string(), tags: z.array(z.string()), remove: z.array(z.string()) }),
  ),
  /** One that a person named by its id: also one that a group governs. */
  also_governed: z.boolean().optional(),
});
export type NamedForget = z.infer<typeof NamedForget>;

export const ForgetRequest = z.object({
  /** Only say what would go. */
  dry_run: z.boolean().optional(),
  /** A person agreed that most snapshots of a group go. */
  may_drop_most: z.boolean().optional(),
  /** These alone, which no group governs, as an admin asked. */
  named: NamedForget.optional(),
});
export type ForgetRequest = z.infer<typeof ForgetRequest>;
