// What starts a job of a repository.
import { z } from "zod";
import { bandwidthLimit, id } from "../../shared/fields.ts";
import { REPOSITORY_KINDS } from "../../shared/job_kinds/all.ts";
import { forget } from "../../shared/job_kinds/forget.ts";
import { unlock } from "../../shared/job_kinds/unlock.ts";

export const RepositoryJobInput = z.strictObject({
  kind: z.enum(REPOSITORY_KINDS, { error: `must be one of ${REPOSITORY_KINDS.join(", ")}` }),
  /** On this host, for admins; otherwise a connected one is chosen. */
  host_id: id.nullable().optional(),
  ...forget.input,
  ...unlock.input,
  bandwidth_up_kbps: bandwidthLimit.optional(),
  bandwidth_down_kbps: bandwidthLimit.optional(),
});
