// A database of before problems had codes: what went wrong last keeps what it was.
import assert from "node:assert/strict";
import { openDatabase } from "../../../server/database/open.ts";
import { makeOldDatabase } from "../../support/old_database.ts";

Deno.test("after the update the last backup and the last maintenance have the codes of their jobs, and a good one has none", async () => {
  const dir = await Deno.makeTempDir({ prefix: "rm-old-" });
  try {
    await makeOldDatabase(dir, 20, (sqlite) => {
      const run = (text: string, ...values: (string | number | null)[]) =>
        sqlite.prepare(text).run(...values);
      run(
        `insert into repositories (id, name, url, url_normalised, password_sealed, is_new, admin_set, created_at, updated_at)
        values ('r', 'r', '/srv/r', 'local:/srv/r', x'00', 0, 1, 1, 1)`,
      );
      for (const [id, reason] of [["bad", "The repository is locked."], ["good", null]] as const) {
        run(
          `insert into hosts (id, name, snapshot_host, bearer_hash, repository_id, hostname, os, arch, agent_version,
            last_backup_job_id, last_backup_reason, created_at)
          values (?, ?, ?, cast(? as blob), 'r', ?, 'linux', 'x', '1', ?, ?, 1)`,
          ...[id, id, id, id, id, id, reason],
        );
        run(
          `insert into jobs (id, host_id, repository_id, kind, status, actor_kind, actor_name, reason, reason_code, created_at)
          values (?, ?, 'r', 'backup', 'failed', 'system', 'server', ?, 'locked', 1)`,
          ...[id, id, reason],
        );
      }
      run(
        `insert into maintenance (repository_id, kind, enabled, cron, considered_at, last_job_id, last_reason)
        values ('r', 'check', 1, '0 4 * * *', 1, 'bad', 'The repository is locked.')`,
      );
    });
    const { db, close } = await openDatabase(dir);
    const hosts = await db.selectFrom("hosts").orderBy("id")
      .select(["id", "last_backup_reason_code", "restic_problem_since"]).execute();
    assert.deepEqual(
      hosts.map((host) => [host.id, host.last_backup_reason_code, host.restic_problem_since]),
      [["bad", "locked", null], ["good", null, null]],
    );
    const [check] = await db.selectFrom("maintenance").select("last_reason_code").execute();
    assert.equal(check!.last_reason_code, "locked");
    await close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
