// Retention and maintenance with the real restics and restic's own REST server.
import assert from "node:assert/strict";
import { join } from "node:path";
import { startDueMaintenance } from "../../server/maintenance/due.ts";
import { eventually } from "../support/eventually.ts";
import { testUnless } from "../support/left_out.ts";
import { maintainedPair, PASSWORD } from "../support/maintained_pair.ts";
import { RealPair } from "../support/real_pair.ts";
import { missingRestServer, startRestServer } from "../support/rest_server.ts";
import { anyRestic, type RealRestic, resticByHand, restics } from "../support/restic.ts";

function each(
  name: string,
  test: (restic: RealRestic) => Promise<void>,
  missing?: string,
): void {
  for (const restic of restics) {
    testUnless(missing, `${name} (restic ${restic.version})`, () => test(restic));
  }
}

each(
  "forget keeps what the policy says, prune shrinks, check reads its part, and the repository's health tells of all",
  async (restic) => {
    const all = await maintainedPair(restic);
    await using pair = all.pair;
    await all.backups(4);
    await all.keep({ keep_last: 2 });
    const preview = await pair.api(
      "POST",
      `/api/hosts/${all.host.hostId}/source-groups/${all.group.id}/retention-preview`,
      { retention: { keep_last: 1 } },
    );
    assert.deepEqual([preview.keep.length, preview.remove.length], [1, 3]);
    assert.deepEqual(preview.keep[0].reasons, ["last"]);
    const dry = await pair.maintain(all.repositoryId, { kind: "forget", dry_run: true });
    assert.deepEqual(
      [dry.status, dry.dry_run, dry.forgotten[0].keep, dry.forgotten[0].remove],
      ["succeeded", true, 2, 2],
    );
    assert.equal((await all.listed()).length, 4);
    const forgot = await pair.maintain(all.repositoryId, { kind: "forget" });
    assert.equal(forgot.status, "succeeded", forgot.reason);
    assert.deepEqual(forgot.forgotten, [{
      source_group_id: all.group.id,
      done: true,
      tag: "default",
      host: "alpha",
      keep: 2,
      remove: 2,
      left: 2,
    }]);
    assert.equal((await all.listed()).length, 2);
    assert.equal((await pair.api("GET", `/api/hosts/${all.host.hostId}`)).snapshots_count, 2);
    const refused = await pair.test.api(
      "alice",
      "POST",
      `/api/repositories/${all.repositoryId}/jobs`,
      { kind: "prune" },
    );
    assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
    assert.match(refused.body.error.message, /admin credential/);
    await pair.api("PUT", `/api/repositories/${all.repositoryId}/admin-credential`, {
      everyday: true,
    });
    const unnamed = await pair.test.api(
      "alice",
      "POST",
      `/api/repositories/${all.repositoryId}/jobs`,
      { kind: "prune" },
    );
    assert.deepEqual([unnamed.status, unnamed.body.error.code], [409, "conflict"]);
    assert.match(unnamed.body.error.message, /No host may hold the admin credential/);
    await pair.name(all.host);
    for (const kind of ["prune", "check"]) {
      const job = await pair.maintain(all.repositoryId, { kind });
      assert.equal(job.status, "succeeded", job.reason);
    }
    const { tasks } = await pair.api("GET", `/api/repositories/${all.repositoryId}/maintenance`);
    assert.deepEqual(
      tasks.map((
        task: { kind: string; last_run: { status: string } },
      ) => [task.kind, task.last_run?.status]),
      [["forget", "succeeded"], ["prune", "succeeded"], ["check", "succeeded"]],
    );
    const repository = await pair.api("GET", `/api/repositories/${all.repositoryId}`);
    assert.ok(repository.total_size > 0 && repository.restore_size > 0);
    const checks = (await pair.api("GET", "/api/jobs?kind=check")).items;
    assert.ok(
      (await pair.texts(checks[0].id)).some((text) => text.includes("--read-data-subset=1/20")),
    );
  },
);

each("a forget that would remove most of a group stops and asks", async (restic) => {
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(4);
  await all.keep({ keep_last: 3 });
  // What was made since the last forget is not counted: an hourly group with a daily policy drops most of it each night.
  const first = await pair.maintain(all.repositoryId, { kind: "forget", may_drop_most: true });
  assert.equal(first.status, "succeeded", first.reason);
  await all.backups(3);
  await all.keep({ keep_last: 2 });
  const stopped = await pair.maintain(all.repositoryId, { kind: "forget" });
  assert.deepEqual([stopped.status, stopped.reason_code], ["failed", "would_drop_most"]);
  assert.match(stopped.reason, /3 of the 3 snapshots that were kept until now/);
  assert.equal((await all.listed()).length, 6);
  const agreed = await pair.maintain(all.repositoryId, { kind: "forget", may_drop_most: true });
  assert.equal(agreed.status, "succeeded", agreed.reason);
  assert.equal((await all.listed()).length, 2);
});

testUnless(
  missingRestServer,
  "the admin credential is sent with the order, is used, and is never written to the agent's disk",
  async () => {
    const restic = anyRestic()!;
    const folder = await Deno.makeTempDir({ prefix: "rm-rest-" });
    try {
      await using door = await startTwoUserDoor(folder);
      const pair = await RealPair.start();
      await using _ = pair;
      const source = join(pair.folder, "source");
      await Deno.mkdir(source);
      const host = await pair.join("alpha", {
        restic: restic.path,
        repository: {
          url: `${door.url}alpha/`,
          password: PASSWORD,
          is_new: true,
          username: "everyday",
          rest_password: "everyday-secret",
        },
        paths: [source],
      });
      for (const text of ["a", "b", "c"]) {
        await Deno.writeTextFile(join(source, "file"), text);
        assert.equal((await pair.backup(host)).status, "succeeded");
      }
      const [group] = (await pair.api("GET", `/api/hosts/${host.hostId}/source-groups`)).items;
      await pair.api("PUT", `/api/hosts/${host.hostId}/source-groups/${group.id}`, {
        name: "default",
        includes: [source],
        retention: { keep_last: 1 },
      });
      assert.equal(
        (await pair.maintain(host.repositoryId, { kind: "forget" })).reason_code,
        "append_only",
      );
      await pair.api("PUT", `/api/repositories/${host.repositoryId}/admin-credential`, {
        username: "admin",
        rest_password: "admin-canary-5150",
      });
      await pair.name(host);
      const forgot = await pair.maintain(host.repositoryId, { kind: "forget" });
      assert.equal(forgot.status, "succeeded", forgot.reason);
      assert.equal(forgot.forgotten[0].left, 1);
      const pruned = await pair.maintain(host.repositoryId, { kind: "prune" });
      assert.equal(pruned.status, "succeeded", pruned.reason);
      const everything = [
        await grep(pair.folder, "admin-canary-5150"),
        await grep(pair.test.dataDir, "admin-canary-5150"),
      ].flat();
      assert.deepEqual(everything, []);
      assert.ok(
        !JSON.stringify([
          await pair.api("GET", "/api/audit"),
          await pair.api("GET", "/api/repositories"),
          await pair.texts(forgot.id),
        ]).includes("canary"),
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("without a policy nothing is forgotten: the server refuses, and an agent refuses the order of a server that does not", async () => {
  const restic = anyRestic()!;
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(2);
  const refused = await pair.test.api(
    "alice",
    "POST",
    `/api/repositories/${all.repositoryId}/jobs`,
    { kind: "forget" },
  );
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  const preview = await pair.test.api(
    "alice",
    "POST",
    `/api/hosts/${all.host.hostId}/source-groups/${all.group.id}/retention-preview`,
    { retention: {} },
  );
  assert.deepEqual([preview.status, preview.body.error.field], [422, "retention"]);
  const ids = (await all.listed()).map(({ id }) => id);
  const policies: Record<string, unknown>[] = [{}, { keep_last: 0 }, { keep_within: "0d" }];
  for (const retention of policies) {
    pair.test.server.agents.send(all.host.hostId, {
      type: "command.run",
      job_id: crypto.randomUUID(),
      kind: "forget",
      repository_id: all.repositoryId,
      forget: [{
        source_group_id: null,
        tag: "default",
        host: "alpha",
        retention,
        snapshots: [{ host: "alpha", tags: ["default"], keep: [], remove: ids }],
      }],
    });
    await eventually(
      "the agent refuses it",
      () =>
        all.host.logged.some((line) =>
          line.includes("must keep something") || line.includes("1 to 9999") ||
          line.includes("keep_last") || line.includes("longer than nothing")
        ),
    );
  }
  assert.equal((await all.listed()).length, 2);
});

Deno.test("what is due runs once, also after many fire times without a host; nothing piles up", async () => {
  const restic = anyRestic()!;
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(2);
  await all.keep({ keep_last: 1 });
  const forgets = async () => (await pair.api("GET", "/api/jobs?kind=forget")).items;
  await startDueMaintenance(pair.test.server);
  assert.equal((await forgets()).length, 0);
  await all.host.agent.stop();
  await eventually("offline", () => !pair.test.server.agents.isOnline(all.host.hostId));
  for (const days of [1, 2, 3, 4, 5]) {
    pair.test.clock.passUntil(days * 86_400_000);
    await startDueMaintenance(pair.test.server);
  }
  assert.equal((await forgets()).length, 0);
  pair.open(all.host, { restic: restic.path });
  await eventually("online", () => pair.test.server.agents.isOnline(all.host.hostId));
  await startDueMaintenance(pair.test.server);
  await startDueMaintenance(pair.test.server);
  const jobs = await forgets();
  assert.equal(jobs.length, 1);
  assert.equal((await pair.ended(jobs[0].id)).status, "succeeded");
});

Deno.test("retention that has failed for a week takes the green light from hosts whose backups succeed", async () => {
  const restic = anyRestic()!;
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(1);
  await pair.test.server.db.updateTable("maintenance").set({
    failing_since: pair.test.server.now() - 8 * 86_400_000,
    last_reason: "refused",
  })
    .where("repository_id", "=", all.repositoryId).where("kind", "=", "forget").execute();
  const host = await pair.api("GET", `/api/hosts/${all.host.hostId}`);
  assert.equal(host.state, "warn");
  assert.match(host.problems[0], /retention has failed for 8 days/);
});

Deno.test("snapshots that another restic made or removed are noticed at the next report and shown as such", async () => {
  const restic = anyRestic()!;
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(2);
  await resticByHand(
    restic,
    all.repository,
    ["backup", "-q", "--host=alpha", all.source],
    PASSWORD,
  );
  const [first] = await all.listed();
  await resticByHand(restic, all.repository, ["forget", first!.id], PASSWORD);
  await all.backups(1);
  const { items, losses } = await pair.api("GET", `/api/hosts/${all.host.hostId}/snapshots`);
  assert.equal(items.length, 3);
  assert.equal(
    items.filter((snapshot: { job_id: string | null }) => snapshot.job_id === null).length,
    1,
  );
  assert.deepEqual(losses.map((loss: { count: number }) => loss.count), [1]);
});

async function grep(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) found.push(...await grep(path, text));
    else if (
      entry.isFile && new TextDecoder("latin1").decode(await Deno.readFile(path)).includes(text)
    ) found.push(path);
  }
  return found;
}

/** One repository behind two doors: the user "everyday" is sent to an append-only server, "admin" to one that deletes. */
async function startTwoUserDoor(folder: string): Promise<{ url: string } & AsyncDisposable> {
  const open = await startRestServer(folder);
  const closed = await startRestServer(folder, true);
  const front = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const user = atob((request.headers.get("authorization") ?? "").replace("Basic ", "")).split(
      ":",
    );
    const behind =
      { "everyday everyday-secret": closed, "admin admin-canary-5150": open }[user.join(" ")];
    if (!behind) return new Response("no", { status: 401 });
    const url = new URL(request.url);
    const body = request.body ? await request.arrayBuffer() : null;
    return await fetch(behind.url.slice(5).replace(/\/$/, "") + url.pathname + url.search, {
      method: request.method,
      headers: Object.fromEntries(
        [...request.headers].filter(([name]) => ["accept", "content-type", "range"].includes(name)),
      ),
      body,
    });
  });
  return {
    url: `rest:http://127.0.0.1:${front.addr.port}/`,
    [Symbol.asyncDispose]: async () => {
      await front.shutdown();
      await open[Symbol.asyncDispose]();
      await closed[Symbol.asyncDispose]();
    },
  };
}
