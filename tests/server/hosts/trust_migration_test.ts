// A database of before trust was written down: what was in force stays allowed, and nothing beyond it.
import assert from "node:assert/strict";
import { openDatabase } from "../../../server/database/open.ts";
import { makeOldDatabase } from "../../support/old_database.ts";

Deno.test("after the update the only host of a repository is named, what was backed up is approved, no repository is open", async () => {
  const dir = await Deno.makeTempDir({ prefix: "rm-old-" });
  try {
    await makeOldDatabase(dir, 12, (sqlite) => {
      const run = (text: string, ...values: (string | number | null)[]) =>
        sqlite.prepare(text).run(...values);
      for (const r of ["alone", "shared", "held"]) {
        run(
          `insert into repositories (id, name, url, url_normalised, password_sealed, is_new, admin_set, created_at, updated_at)
          values (?, ?, ?, ?, x'00', 0, 1, 1, 1)`,
          r,
          r,
          `/srv/${r}`,
          `local:/srv/${r}`,
        );
      }
      const host = (id: string, repository: string, hold: number | null = null) =>
        run(
          `insert into hosts (id, name, snapshot_host, bearer_hash, repository_id, hostname, os, arch, agent_version,
          on_hold_since, created_at) values (?, ?, ?, cast(? as blob), ?, ?, 'linux', 'x', '1', ?, 1)`,
          id,
          id,
          id,
          id,
          repository,
          id,
          hold,
        );
      host("a", "alone");
      host("b", "shared");
      host("c", "shared");
      host("d", "held", 7);
      const group = (id: string, host: string, includes: string[]) =>
        run(
          `insert into source_groups (id, host_id, name, includes, excludes, retention, retry_max, retry_backoff_seconds,
          snapshot_tag, created_at, updated_at) values (?, ?, ?, ?, '[]', '{}', 0, 60, ?, 1, 1)`,
          id,
          host,
          id,
          JSON.stringify(includes),
          id,
        );
      group("g1", "a", ["/home", "/etc"]);
      group("g2", "a", ["/etc", "/srv/x, y"]);
      group("g3", "b", []);
    });
    const { db, close } = await openDatabase(dir);
    const named = await db.selectFrom("maintenance_hosts")
      .select(["repository_id", "host_id", "waits_since"]).orderBy("host_id").execute();
    // One that joined again waits for an admin's word.
    assert.deepEqual(named.map(Object.values), [["alone", "a", null], ["held", "d", 7]]);
    const hosts = await db.selectFrom("hosts")
      .select(["id", "approved_roots", "approved_repository_ids"]).orderBy("id").execute();
    assert.deepEqual(
      hosts.map((host) => [
        host.id,
        JSON.parse(host.approved_roots),
        JSON.parse(host.approved_repository_ids),
      ]),
      [
        ["a", ["/etc", "/home", "/srv/x, y"], ["alone"]],
        ["b", [], ["shared"]],
        ["c", [], ["shared"]],
        ["d", [], ["held"]],
      ],
    );
    const open = await db.selectFrom("repositories").select("open_to_operators").execute();
    assert.deepEqual(open.map(({ open_to_operators }) => open_to_operators), [0, 0, 0]);
    await close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
