// A database of before its columns had the field's words keeps what is in it.
import assert from "node:assert/strict";
import { openDatabase } from "../../../server/database/open.ts";
import { makeOldDatabase } from "../../support/old_database.ts";

Deno.test("limits, lines, tokens and reasons are there after the columns were renamed", async () => {
  const dir = await Deno.makeTempDir({ prefix: "rm-old-" });
  try {
    await makeOldDatabase(dir, 21, (sqlite) =>
      sqlite.exec(`
      insert into repositories (id, name, url, url_normalised, password_sealed, is_new, created_at, updated_at)
        values ('r', 'r', '/srv/r', 'local:/srv/r', x'00', 0, 1, 1);
      insert into hosts (id, name, snapshot_host, bearer_hash, repository_id, hostname, os, arch, agent_version, created_at,
        bandwidth_up_kbps, bandwidth_down_kbps, bandwidth_windows, last_backup_reason_code)
        values ('h', 'alpha', 'alpha', x'01', 'r', 'alpha', 'linux', 'x', '1', 1, 512, null,
        '[{"days":["mon"],"from":"08:00","to":"18:00","bandwidth_up_kbps":64,"bandwidth_down_kbps":null}]', 'hook_unsealable');
      insert into jobs (number, id, host_id, repository_id, kind, status, actor_kind, actor_name, created_at, warnings,
        bandwidth_up_kbps, bandwidth_down_kbps, reason_code)
        values (1, 'j', 'h', 'r', 'backup', 'failed', 'user', 'x', 1, 0, 7, 0, 'hook_unsealable');
      insert into job_lines (job_number, n, at, stream, text) values (1, 3, 1, 0, 'a line');
      insert into enrollment_tokens (id, token_hash, repository_id, host_name, tags, initial_paths, created_by, created_at, expires_at)
        values ('t', x'02', 'r', 'beta', '[]', '[]', 'alice', 1, 2);
    `));
    const { db, close } = await openDatabase(dir);
    const host = await db.selectFrom("hosts").selectAll().executeTakeFirstOrThrow();
    assert.deepEqual([host.bandwidth_up_kib_per_s, host.bandwidth_down_kib_per_s], [512, null]);
    assert.equal(host.last_backup_reason_code, "hook_cannot_decrypt");
    assert.deepEqual(JSON.parse(host.bandwidth_windows), [{
      days: ["mon"],
      from: "08:00",
      to: "18:00",
      bandwidth_up_kib_per_s: 64,
      bandwidth_down_kib_per_s: null,
    }]);
    const job = await db.selectFrom("jobs").selectAll().executeTakeFirstOrThrow();
    assert.deepEqual([job.bandwidth_up_kib_per_s, job.bandwidth_down_kib_per_s], [7, 0]);
    assert.equal(job.reason_code, "hook_cannot_decrypt");
    const line = await db.selectFrom("job_lines").selectAll().executeTakeFirstOrThrow();
    assert.deepEqual([line.line, line.text], [3, "a line"]);
    const token = await db.selectFrom("enrolment_tokens").selectAll().executeTakeFirstOrThrow();
    assert.equal(token.host_name, "beta");
    await close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
