// One-time tokens by which a machine joins or comes back, and what its agent is answered.
import { z } from "zod";
import { Time } from "./time.ts";

/** To be run on the machine. */
const commands = z.object({ linux: z.string(), windows: z.string() });

/** `token` is shown in this answer and never again. */
export const JoinToken = z.object({ token: z.string(), expires_at: Time, commands });

/** `repository_password` only where the server made one: the one time that it is shown. */
export const EnrolmentToken = JoinToken.extend({
  id: z.string(),
  repository_id: z.string(),
  warnings: z.array(z.string()),
  repository_password: z.string().optional(),
});

export const Enrolled = z.object({ host_id: z.string(), bearer: z.string() });
export type Enrolled = z.infer<typeof Enrolled>;
