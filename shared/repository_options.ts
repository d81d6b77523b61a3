// The extended options of restic (-o) that may be stored with a repository. What names a program or its arguments is not
// among them: sftp.command, sftp.args, rclone.program, rclone.args. Source: `restic options` of 0.14 to 0.19.
import { z } from "zod";

const NUMBER = /^[1-9]\d{0,3}$/;
const WORD = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SWITCH = /^(true|false)$/;

const ACCEPTED: Record<string, { pattern: RegExp; words: string }> = {
  ...Object.fromEntries(
    ["azure", "b2", "gs", "local", "rclone", "rest", "s3", "sftp", "swift"].map((backend) => [
      `${backend}.connections`,
      { pattern: NUMBER, words: "a whole number from 1 to 9999" },
    ]),
  ),
  "azure.access-tier": { pattern: /^(Hot|Cool|Cold)$/, words: "Hot, Cool or Cold" },
  "gs.region": { pattern: WORD, words: "a region" },
  "rclone.timeout": { pattern: /^\d{1,4}[smh]$/, words: "a time such as 1m" },
  "s3.bucket-lookup": { pattern: /^(auto|dns|path)$/, words: "auto, dns or path" },
  "s3.enable-restore": { pattern: SWITCH, words: "true or false" },
  "s3.list-objects-v1": { pattern: SWITCH, words: "true or false" },
  "s3.region": { pattern: WORD, words: "a region" },
  "s3.restore-days": { pattern: NUMBER, words: "a whole number of days" },
  "s3.restore-tier": {
    pattern: /^(Standard|Bulk|Expedited)$/,
    words: "Standard, Bulk or Expedited",
  },
  "s3.restore-timeout": { pattern: /^\d{1,4}[smhd]$/, words: "a time such as 1d" },
  "s3.retries": { pattern: NUMBER, words: "a whole number from 1 to 9999" },
  "s3.storage-class": { pattern: /^[A-Z_]{2,40}$/, words: "a storage class such as STANDARD_IA" },
  "s3.unsafe-anonymous-auth": { pattern: SWITCH, words: "true or false" },
};

/** Those that say where the storage is: see ENDPOINT_NAMES of repository_environment.ts. */
export const ENDPOINT_OPTIONS: readonly string[] = ["gs.region", "s3.bucket-lookup", "s3.region"];

export const OPTION_NAMES = Object.keys(ACCEPTED).sort();

/** Names and values of `-o`. */
export const RepositoryOptions = z.record(
  z.string(),
  z.string("must be text"),
  "must be names with values",
)
  .superRefine((options, context) => {
    for (const [name, value] of Object.entries(options)) {
      const accepted = Object.hasOwn(ACCEPTED, name) ? ACCEPTED[name] : undefined;
      if (accepted?.pattern.test(value)) continue;
      context.addIssue({
        code: "custom",
        path: [name],
        message: accepted
          ? `must be ${accepted.words}`
          : `is not accepted; accepted options: ${OPTION_NAMES.join(", ")}`,
      });
    }
  });
export type RepositoryOptions = z.infer<typeof RepositoryOptions>;
