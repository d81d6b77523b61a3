import { z } from "zod";
import { cron, id } from "../../shared/fields.ts";

export const ScheduleInput = z.strictObject({
  cron,
  enabled: z.boolean("must be true or false").default(true),
  source_group_ids: z.array(id, "must be a list of source group ids").min(
    1,
    "must name at least one source group",
  ).max(100, "must name at most 100 source groups"),
});
export type ScheduleInput = z.infer<typeof ScheduleInput>;
