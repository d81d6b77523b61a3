// What an agent does with an order to forget: nothing but these ids, and only where the repository agrees with the server.
import assert from "node:assert/strict";
import { join } from "node:path";
import { FakeServer } from "../support/fake_server.ts";
import { placeRepository, type RealRestic, resticByHand, restics } from "../support/restic.ts";
import { access, jobId, startAgent, testFolder } from "../support/start_agent.ts";

async function setUp(restic: RealRestic) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const repository = join(folder, "repository");
  await placeRepository(restic, repository);
  const source = join(folder, "source");
  await Deno.mkdir(source);
  const server = stack.use(new FakeServer({ config: { repository: access(repository) } }));
  stack.use(await startAgent(server, { directory: folder, restic: restic.path }));
  const backup = async (host: string, tag: string) => {
    await Deno.writeTextFile(join(source, "file"), crypto.randomUUID());
    await resticByHand(restic, repository, [
      "backup",
      "-q",
      `--host=${host}`,
      `--tag=${tag}`,
      source,
    ]);
    return (await ids()).find((id) => !known.has(id) && known.add(id))!;
  };
  const known = new Set<string>();
  const ids = async () =>
    (JSON.parse(await resticByHand(restic, repository, ["snapshots", "--json"])) as {
      id: string;
    }[]).map(({ id }) => id);
  const forget = async (keep: string[], remove: string[], more: Record<string, unknown> = {}) => {
    const job_id = jobId();
    server.run({
      job_id,
      kind: "forget",
      forget: [{
        source_group_id: null,
        tag: "default",
        host: "alpha",
        retention: { keep_last: 1 },
        snapshots: [{ host: "alpha", tags: ["default"], keep, remove }],
        ...more,
      }],
    });
    const end = await server.finished(job_id);
    return { ...end, texts: server.texts(job_id) };
  };
  return Object.assign(stack.move(), { server, backup, ids, forget });
}

for (const restic of restics) {
  Deno.test(`exactly the ids that are named go, and the whole list is handed in before and after (restic ${restic.version})`, async () => {
    await using all = await setUp(restic);
    const [a, b, c] = [
      await all.backup("alpha", "default"),
      await all.backup("alpha", "default"),
      await all.backup("beta", "default"),
    ];
    const end = await all.forget([b.slice(0, 16)], [a]);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.deepEqual(end.forgotten, [{
      source_group_id: null,
      tag: "default",
      host: "alpha",
      keep: 1,
      remove: 1,
      left: 1,
      done: true,
    }]);
    assert.deepEqual((await all.ids()).sort(), [b, c].sort());
    const lists = all.server.of("snapshots.report");
    assert.deepEqual(lists.map(({ whole, snapshots }) => [whole ?? false, snapshots.length]), [
      [true, 3],
      [true, 2],
      [false, 1],
    ]);
    const started = end.texts.filter((text) => /: forget /.test(text));
    assert.equal(started.length, 1);
    assert.ok(
      !started[0]!.includes("--keep") && !started[0]!.includes("--prune") &&
        started[0]!.includes(a),
    );
  });

  Deno.test(`an id of another host, another tag, or whose companions are gone removes nothing (restic ${restic.version})`, async () => {
    await using all = await setUp(restic);
    const [a, other, tagged] = [
      await all.backup("alpha", "default"),
      await all.backup("beta", "default"),
      await all.backup("alpha", "home"),
    ];
    for (const foreign of [other, tagged]) {
      const end = await all.forget([], [a, foreign]);
      assert.deepEqual([end.status, end.reason_code], ["failed", "not_ours"]);
    }
    for (const missing of ["f".repeat(16), other.slice(0, 16)]) {
      const end = await all.forget([missing], [a]);
      assert.deepEqual([end.status, end.reason_code], ["failed", "list_changed"]);
    }
    const held = await all.forget([], [a], { held: "it would remove most" });
    assert.deepEqual([held.status, held.reason_code, held.forgotten?.[0]?.done], [
      "failed",
      "would_drop_most",
      false,
    ]);
    assert.equal((await all.ids()).length, 3);
    // One that is gone already is no reason to stop.
    const end = await all.forget([], [a, "e".repeat(64)]);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.equal((await all.ids()).length, 2);
  });
}
