// A database of before retention was worked out by the server, with what is in it.
import assert from "node:assert/strict";
import { openDatabase } from "../../../server/database/open.ts";
import { makeOldDatabase } from "../../support/old_database.ts";

const id = (n: number) => n.toString(16).padStart(64, "0");

Deno.test("what jobs of a group made is that group's after the update; a policy of nothing and doubtful claims are not", async () => {
  const dir = await Deno.makeTempDir({ prefix: "rm-old-" });
  try {
    await makeOldDatabase(dir, 7, (sqlite) => {
      const run = (text: string, ...values: (string | number | null)[]) =>
        sqlite.prepare(text).run(...values);
      run(
        `insert into repositories (id, name, url, url_normalised, password_sealed, is_new, created_at, updated_at)
        values ('r', 'r', '/srv/r', 'local:/srv/r', x'00', 0, 1, 1)`,
      );
      run(
        `insert into maintenance (repository_id, kind, enabled, cron, considered_at, last_success_at)
        values ('r', 'forget', 1, '0 3 * * *', 1, 5000)`,
      );
      run(
        `insert into hosts (id, name, snapshot_host, bearer_hash, repository_id, hostname, os, arch, agent_version,
        snapshots_report_id, snapshots_refreshed_at, created_at)
        values ('h', 'alpha', 'alpha', x'01', 'r', 'alpha', 'linux', 'x', '1', 'list', 9000, 1)`,
      );
      run(
        `insert into source_groups (id, host_id, name, includes, excludes, retention, retry_max, retry_backoff_seconds,
        created_at, updated_at) values ('g', 'h', 'renamed', '["/"]', '[]', '{"keep_within":"0d","keep_last":3}', 0, 60, 1, 1)`,
      );
      const job = (n: number, snapshot: number, warnings: number, status = "succeeded") =>
        run(
          `insert into jobs (number, id, host_id, repository_id, kind, status, actor_kind, actor_name, source_group_id,
            source_group_name, created_at, started_at, finished_at, warnings, snapshot_id)
            values (?, ?, 'h', 'r', 'backup', ?, 'user', 'x', 'g', 'home', ?, ?, ?, ?, ?)`,
          n,
          `j${n}`,
          status,
          n * 1000,
          n * 1000,
          n * 1000 + 1,
          warnings,
          id(snapshot),
        );
      job(1, 1, 0);
      job(7, 2, 1);
      job(8, 3, 0, "failed");
      job(9, 4, 0);
      job(10, 4, 0);
      for (const n of [1, 2, 3, 4, 5]) {
        run(
          `insert into snapshots (host_id, report_id, id, time, tags, paths, hostname) values ('h', 'list', ?, ?, '["home"]', '[]', 'alpha')`,
          id(n),
          n * 1000,
        );
      }
    });
    const { db, close } = await openDatabase(dir);
    const group = await db.selectFrom("source_groups").selectAll().executeTakeFirstOrThrow();
    assert.deepEqual([group.snapshot_tag, JSON.parse(group.retention), group.usual_share_percent], [
      "renamed",
      { keep_last: 3 },
      50,
    ]);
    const used = await db.selectFrom("used_tags").select("tag").orderBy("tag").execute();
    assert.deepEqual(used.map(({ tag }) => tag), ["home", "renamed"]);
    const claims = await db.selectFrom("snapshot_claims").selectAll().orderBy("time").execute();
    assert.deepEqual(
      claims.map((
        { snapshot_id, job_id, good, kept, confirmed, listed, tags },
      ) => [snapshot_id, job_id, good, kept, confirmed, listed, tags]),
      [[id(1), "j1", 1, 1, 1, 1, '["home"]'], [id(2), "j7", 0, 0, 1, 1, '["home"]']],
    );
    assert.equal((await db.selectFrom("known_snapshots").selectAll().execute()).length, 5);
    await close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
