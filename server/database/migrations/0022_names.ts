import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const LIMITED = ["hosts", "jobs"];

const STATEMENTS = [
  ...LIMITED.flatMap((table) => [
    `alter table ${table} rename column bandwidth_up_kbps to bandwidth_up_kib_per_s`,
    `alter table ${table} rename column bandwidth_down_kbps to bandwidth_down_kib_per_s`,
  ]),
  `update hosts set bandwidth_windows = replace(replace(bandwidth_windows,
     '"bandwidth_up_kbps":', '"bandwidth_up_kib_per_s":'),
     '"bandwidth_down_kbps":', '"bandwidth_down_kib_per_s":')`,
  `alter table job_lines rename column n to line`,
  `alter table enrollment_tokens rename to enrolment_tokens`,
  `update jobs set reason_code = 'hook_cannot_decrypt' where reason_code = 'hook_unsealable'`,
  `update hosts set last_backup_reason_code = 'hook_cannot_decrypt'
     where last_backup_reason_code = 'hook_unsealable'`,
];

/** The field's words: what holds KiB/s says so, a line of a log is a line, one spelling of enrolment. */
export const names: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
