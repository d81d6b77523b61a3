// Restores with the real server, real agents and the real restic: of a host that is dead, of one that is gone, to a machine of another
// repository, in place and back again, and beside a prune.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { RealPair } from "../support/real_pair.ts";
import { restics } from "../support/restic.ts";
import { listed, sh } from "../support/restoring.ts";

for (const restic of restics) {
  const isOld = restic.version.startsWith("0.14");

  Deno.test(`a host that is dead is restored to another one, also when it was removed, also to one of another repository (restic ${restic.version})`, async () => {
    await using pair = await RealPair.start();
    const [source, url] = [join(pair.folder, "data"), join(pair.folder, "repository")];
    sh(
      `mkdir -p "$1/d"; cd "$1"; echo 1 > d/one; ln -s one d/link; printf raw > "$(printf 'caf\\351')"; chown 77:88 d`,
      source,
    );
    const own = join(pair.folder, "own");
    Deno.mkdirSync(own);
    const alpha = await pair.join("alpha", {
      restic: restic.path,
      repository: { url },
      paths: [source],
    });
    const beta = await pair.join("beta", {
      restic: restic.path,
      repository: { id: alpha.repositoryId },
      paths: [own],
    });
    const gamma = await pair.join("gamma", {
      restic: restic.path,
      repository: { url: join(pair.folder, "another"), password: "another password" },
      paths: [own],
    });
    assert.equal((await pair.backup(alpha)).status, "succeeded");
    const { items: [{ id }] } = await pair.api("GET", `/api/hosts/${alpha.hostId}/snapshots`);
    await pair.name(beta);
    await alpha.agent.stop();
    await eventually("alpha is offline", () => !pair.test.server.agents.isOnline(alpha.hostId));
    const to = async (host: typeof beta, name: string) => {
      const target = join(pair.folder, name);
      const { job_id } = await pair.api("POST", `/api/hosts/${host.hostId}/jobs`, {
        kind: "restore",
        snapshot_id: id.slice(0, 12),
        items: [{ path: source }],
        target: { kind: "folder", path: target },
        verify: true,
      });
      const job = await pair.ended(job_id);
      assert.equal(job.status, "succeeded", job.reason);
      assert.deepEqual([job.restore.result.failed, job.restore.result.verified], [0, true]);
      assert.equal(listed(join(target, source)), listed(source));
      return job;
    };
    await to(beta, "to beta");
    await to(gamma, "to gamma");
    // Its repository is another one: what it was given is nowhere on its disk, and in no line.
    assert.equal(sh(`grep -rl "a repository password" "$1/gamma" || true`, pair.folder), "");
    assert.ok(!gamma.logged.join("\n").includes("a repository password"));
    // The whole list of the repository knows the snapshot of a host that is here no more.
    assert.equal((await pair.maintain(alpha.repositoryId, { kind: "stats" })).status, "succeeded");
    await pair.api("DELETE", `/api/hosts/${alpha.hostId}?snapshots=keep`, {
      confirm_hostname: "alpha",
    });
    const job = await to(beta, "of one that is gone");
    assert.equal(job.host_name, "beta");
  });

  Deno.test(`what is restored in place can be undone, and no retention removes what was there before (restic ${restic.version})`, async () => {
    await using pair = await RealPair.start();
    const [source, url] = [join(pair.folder, "data"), join(pair.folder, "repository")];
    sh(`mkdir -p "$1"; echo old > "$1/f"`, source);
    const alpha = await pair.join("alpha", {
      restic: restic.path,
      repository: { url },
      paths: [source],
    });
    await pair.name(alpha);
    assert.equal((await pair.backup(alpha)).status, "succeeded");
    const { items: [{ id }] } = await pair.api("GET", `/api/hosts/${alpha.hostId}/snapshots`);
    sh(`echo new > "$1/f"`, source);
    const restore = async (snapshot_id: string, more = {}) =>
      await pair.ended(
        (await pair.api("POST", `/api/hosts/${alpha.hostId}/jobs`, {
          kind: "restore",
          snapshot_id,
          items: [{ path: join(source, "f") }],
          target: { kind: "original", confirm_hostname: "alpha" },
          ...more,
        })).job_id,
      );
    const job = await restore(id);
    if (isOld) {
      assert.equal(job.reason_code, "restic_too_old");
      return;
    }
    assert.equal(job.status, "succeeded", job.reason);
    assert.equal(Deno.readTextFileSync(join(source, "f")), "old\n");
    const undo = job.restore.result.undo_snapshot;
    const items = async () =>
      (await pair.api("GET", "/api/snapshots")).items as {
        id: string;
        pinned: boolean;
        tags: string[];
      }[];
    assert.deepEqual((await items()).filter(({ pinned }) => pinned).map(({ id }) => id), [undo]);
    const groups = `/api/hosts/${alpha.hostId}/source-groups`;
    const [group] = (await pair.api("GET", groups)).items;
    await pair.api("PUT", `${groups}/${group.id}`, {
      name: group.name,
      includes: [source],
      retention: { keep_last: 1 },
    });
    for (let n = 0; n < 2; n++) assert.equal((await pair.backup(alpha)).status, "succeeded");
    await pair.api("PUT", `/api/repositories/${alpha.repositoryId}/admin-credential`, {
      everyday: true,
    });
    const forget = await pair.maintain(alpha.repositoryId, { kind: "forget" });
    assert.equal(forget.status, "succeeded", forget.reason);
    assert.ok((await items()).some((each) => each.id === undo));
    assert.ok(!(await items()).some((each) => each.id === id));
    assert.equal((await restore(undo, { undo: false })).status, "succeeded");
    assert.equal(Deno.readTextFileSync(join(source, "f")), "new\n");
  });

  Deno.test(`a prune waits for a restore on another host and on its own, and says for which; a backup does not (restic ${restic.version})`, async () => {
    await using pair = await RealPair.start();
    const [source, url] = [join(pair.folder, "data"), join(pair.folder, "repository")];
    sh(
      `mkdir -p "$1"; for n in 1 2 3; do head -c 8000000 /dev/urandom > "$1/$n"; done`,
      source,
    );
    const small = join(pair.folder, "small");
    sh(`mkdir -p "$1"; echo 1 > "$1/f"`, small);
    const alpha = await pair.join("alpha", {
      restic: restic.path,
      repository: { url },
      paths: [source],
    });
    const beta = await pair.join("beta", {
      restic: restic.path,
      repository: { id: alpha.repositoryId },
      paths: [small],
    });
    await pair.api("PUT", `/api/repositories/${alpha.repositoryId}/admin-credential`, {
      everyday: true,
    });
    assert.equal((await pair.backup(alpha)).status, "succeeded");
    const { items: [{ id }] } = await pair.api("GET", `/api/hosts/${alpha.hostId}/snapshots`);
    for (const [n, pruner] of [alpha, beta].entries()) {
      await pair.name(pruner);
      const restoring = (await pair.api("POST", `/api/hosts/${beta.hostId}/jobs`, {
        kind: "restore",
        snapshot_id: id,
        items: [{ path: source }],
        target: { kind: "folder", path: join(pair.folder, `restored ${n}`) },
        bandwidth_down_kbps: 300,
      })).job_id;
      await eventually(
        "it is at work",
        async () => (await pair.api("GET", `/api/jobs/${restoring}`)).progress !== null,
      );
      const prune =
        (await pair.api("POST", `/api/repositories/${alpha.repositoryId}/jobs`, { kind: "prune" }))
          .job_id;
      // A backup of the same host runs beside the restore.
      const backup = await pair.backup(beta);
      assert.equal(backup.status, "succeeded", backup.reason);
      assert.equal((await pair.api("GET", `/api/jobs/${restoring}`)).status, "running");
      assert.equal((await pair.api("GET", `/api/jobs/${prune}`)).status, "queued");
      await pair.api("POST", `/api/jobs/${restoring}/cancel`);
      const [restored, pruned] = [await pair.ended(restoring), await pair.ended(prune)];
      assert.equal(restored.status, "cancelled", restored.reason);
      assert.equal(pruned.status, "succeeded", pruned.reason);
      assert.ok(
        pruned.started_at >= restored.finished_at,
        `${pruned.started_at} ${restored.finished_at}`,
      );
    }
  });
}
