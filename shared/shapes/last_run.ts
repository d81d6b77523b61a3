// How the newest job of a schedule or a source group went.
import { z } from "zod";
import { JOB_STATUSES } from "../job.ts";
import { Time } from "./time.ts";

export const LastRun = z.object({
  job_id: z.string(),
  at: Time,
  status: z.enum(JOB_STATUSES),
  warnings: z.number(),
});
export type LastRun = z.infer<typeof LastRun>;
