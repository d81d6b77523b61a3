import { z } from "zod";
import {
  excludeIfPresent,
  excludes,
  fileSize,
  groupName,
  hookStopAtError,
  hookText,
  hookTimeout,
  paths,
} from "../../shared/fields.ts";
import { Retention } from "../../shared/retention.ts";

export const SourceGroupInput = z.strictObject({
  name: groupName,
  includes: paths,
  excludes: excludes.default([]),
  /** Patterns whatever the case of letters. */
  iexcludes: excludes.default([]),
  exclude_if_present: z.array(excludeIfPresent, "must be a list of file names").max(
    100,
    "must be at most 100 file names",
  ).default([]),
  exclude_larger_than: fileSize.nullable().default(null),
  /** Folders with a CACHEDIR.TAG. */
  exclude_caches: z.boolean("must be true or false").default(false),
  one_file_system: z.boolean("must be true or false").default(false),
  retention: Retention.default({}),
  /** A backup of less than this share of what is usual is not taken for a good one; 0: never mind. */
  usual_share_percent: z.int("must be a whole number from 0 to 100").min(0, "must be from 0 to 100")
    .max(100, "must be from 0 to 100").default(50),
  retry_max: z.int("must be a whole number from 0 to 10").min(0, "must be from 0 to 10")
    .max(10, "must be from 0 to 10").default(0),
  retry_backoff_seconds: z.int("must be a whole number of seconds from 10 to 86400")
    .min(10, "must be from 10 to 86400 seconds").max(86_400, "must be from 10 to 86400 seconds")
    .default(300),
  /** Windows hosts only: open files are read from a volume shadow copy. */
  use_fs_snapshot: z.boolean("must be true or false").default(false),
  /** Blank or null: none. Absent: as it is. Only admins may change hooks. */
  pre_hook: hookText.nullable().optional(),
  post_hook: hookText.nullable().optional(),
  hook_timeout_seconds: hookTimeout.optional(),
  hook_stop_at_error: hookStopAtError.optional(),
});
export type SourceGroupInput = z.infer<typeof SourceGroupInput>;
