import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // Codes beside the reasons, so that nobody has to read a sentence.
  `alter table hosts add column last_backup_reason_code text`,
  `update hosts set last_backup_reason_code =
     (select reason_code from jobs where jobs.id = hosts.last_backup_job_id)
     where last_backup_reason is not null`,
  `alter table maintenance add column last_reason_code text`,
  `update maintenance set last_reason_code =
     (select reason_code from jobs where jobs.id = maintenance.last_job_id)
     where last_reason is not null`,
  `alter table hosts add column restic_problem_code text`,
  // Since when, by the server's clock.
  `alter table hosts add column restic_problem_since integer`,
  `alter table hosts add column clock_wrong_since integer`,
];

/** What is wrong with a host, as codes and since when. */
export const problemFacts: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
