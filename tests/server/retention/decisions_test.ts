// What people decide: previews, tags that stay, snapshots without a group, and "this is right now".
import assert from "node:assert/strict";
import { FakeRepository, Machine, SUMMARY } from "../../support/fake_repository.ts";
import { startServer } from "../../support/start_server.ts";

const DAY = 24 * 3_600_000;

async function setUp() {
  const test = await startServer();
  test.clock.pass(1.5 * DAY - Date.now() % DAY);
  const repository = new FakeRepository();
  const alpha = await Machine.join(test, repository, "alpha");
  const groups = `/api/hosts/${alpha.host.hostId}/source-groups`;
  return { test, repository, alpha, groups };
}

Deno.test("the preview says what the run would do, also while the host is offline, and removes nothing", async () => {
  const { test, repository, alpha, groups } = await setUp();
  await using _ = test;
  for (let n = 0; n < 4; n++) {
    test.clock.pass(DAY);
    await alpha.backup();
  }
  repository.add({ hostname: "alpha" });
  await alpha.away();
  const preview = async (retention: unknown, person: "olive" | "victor" = "olive") =>
    await test.api(person, "POST", `${groups}/${alpha.groupId}/retention-preview`, { retention });
  const { status, body } = await preview({ keep_daily: 3 });
  assert.deepEqual([status, body.keep.length, body.remove.length, body.held], [200, 3, 1, null]);
  assert.deepEqual(body.keep[0].reasons, ["daily"]);
  assert.ok(body.refreshed_at && body.keep[0].time);
  assert.equal((await preview({ keep_daily: 3 }, "victor")).status, 403);
  for (
    const retention of [{}, { keep_within: "0d" }, { keep_within: "0y0m0d0h" }, { keep_last: 0 }]
  ) {
    assert.equal((await preview(retention)).status, 422, JSON.stringify(retention));
  }
  await alpha.connect();
  await alpha.keep({ keep_daily: 3 });
  const { removed } = await alpha.forget();
  assert.deepEqual(removed, body.remove.map(({ id }: { id: string }) => id));
  await alpha.agent.close();
});

Deno.test("what newer snapshots displace each night is not asked about; another policy is, until it was agreed to once", async () => {
  const { test, alpha } = await setUp();
  await using _ = test;
  const night = async (options?: Parameters<typeof alpha.forget>[0]) => {
    for (let n = 0; n < 4; n++) await alpha.backup();
    const { orders, removed } = await alpha.forget(options);
    return [orders[0]!.held !== undefined, removed.length > 0];
  };
  await alpha.keep({ keep_last: 4 });
  assert.deepEqual(await night(), [false, false]);
  assert.deepEqual(await night(), [false, true]);
  await alpha.keep({ keep_last: 4, keep_daily: 9 });
  assert.deepEqual(await night(), [false, true]);
  await alpha.keep({ keep_hourly: 1 });
  assert.deepEqual(await night(), [true, false]);
  assert.deepEqual(await night(), [true, false]);
  assert.deepEqual(await night({ may_drop_most: true }), [false, true]);
  assert.deepEqual(await night(), [false, true]);
});

Deno.test("a policy that means nothing is refused when it is saved, in every spelling", async () => {
  const { test, alpha, groups } = await setUp();
  await using _ = test;
  for (const keep_within of ["0d", "0h", "00d", "0y0m", "0y0m0d0h"]) {
    const { status, body } = await test.api("olive", "PUT", `${groups}/${alpha.groupId}`, {
      name: "default",
      includes: ["/home"],
      retention: { keep_last: 5, keep_within },
    });
    assert.deepEqual([status, body.error.field], [422, "retention.keep_within"], keep_within);
  }
  await alpha.agent.close();
});

Deno.test("a renamed group keeps its tag and governs its old snapshots; its name leads no new group to them", async () => {
  const { test, alpha, groups } = await setUp();
  await using _ = test;
  for (let n = 0; n < 3; n++) {
    test.clock.pass(DAY);
    await alpha.backup();
  }
  const renamed = await test.api("olive", "PUT", `${groups}/${alpha.groupId}`, {
    name: "system",
    includes: ["/home"],
    retention: { keep_last: 2 },
  });
  assert.deepEqual([renamed.body.name, renamed.body.snapshot_tag], ["system", "default"]);
  const refused = await test.api("olive", "PUT", `${groups}/${alpha.groupId}`, {
    name: "system",
    includes: ["/home"],
    snapshot_tag: "other",
  });
  assert.deepEqual([refused.status, refused.body.error.field], [422, "snapshot_tag"]);
  test.clock.pass(DAY);
  const fourth = await alpha.backup();
  assert.deepEqual(fourth.tags, ["default"]);
  assert.equal((await alpha.forget()).removed.length, 2);
  const other = async (name: string) =>
    (await test.api("alice", "POST", groups, { name, includes: ["/srv"] })).body;
  assert.equal((await other("default")).snapshot_tag, "default-2");
  const gone = await other("Temp");
  assert.equal(gone.snapshot_tag, "Temp");
  assert.equal((await test.api("olive", "DELETE", `${groups}/${gone.id}`)).status, 204);
  assert.equal((await other("temp")).snapshot_tag, "temp-2");
  const long = "x".repeat(64);
  assert.equal((await other(long)).snapshot_tag, long);
  const first = (await test.api("olive", "GET", groups)).body.items.find((each: { name: string }) =>
    each.name === long
  );
  await test.api("olive", "DELETE", `${groups}/${first.id}`);
  assert.equal((await other(long)).snapshot_tag, `${"x".repeat(62)}-2`);
  await alpha.agent.close();
});

Deno.test("snapshots without a group are listed and can be adopted, kept or, by an admin who types, forgotten", async () => {
  const { test, repository, alpha, groups } = await setUp();
  await using _ = test;
  const now = test.server.now();
  const old = [1, 2, 3].map((n) =>
    repository.add({ hostname: "web-00", tags: ["home"], time: now - n * DAY })
  );
  const tagless = repository.add({ hostname: "laptop", tags: [], time: now - 9 * DAY });
  await alpha.keep({ keep_last: 1 });
  await alpha.backup();
  await alpha.forget();
  const path = `/api/repositories/${alpha.host.repositoryId}/ungoverned-snapshots`;
  const list = async () =>
    (await test.api("olive", "GET", path)).body.items as {
      hostname: string;
      count: number;
      kept_by: string | null;
    }[];
  assert.deepEqual((await list()).map(({ hostname, count }) => [hostname, count]), [["web-00", 3], [
    "laptop",
    1,
  ]]);
  const named = { hostname: "web-00", tags: ["home"] };
  const adopt = (person: "alice" | "olive", input: Record<string, unknown> = named) =>
    test.api(person, "POST", `${path}/adopt`, { ...input, source_group_id: alpha.groupId });
  assert.equal((await adopt("olive")).status, 403);
  assert.equal((await adopt("alice", { hostname: "web-00", tags: [] })).status, 409);
  assert.deepEqual((await adopt("alice")).body, { adopted: 3 });
  assert.deepEqual((await list()).map(({ hostname }) => hostname), ["laptop"]);
  // They count now, at their own times, and most of them do not go without a word.
  const asked = await alpha.forget();
  assert.match(asked.orders[0]!.held ?? "", /3 of the 4 snapshots/);
  const { removed } = await alpha.forget({ may_drop_most: true });
  assert.deepEqual(removed.sort(), old.map(({ id }) => id).sort());
  const laptop = { hostname: "laptop", tags: [] };
  assert.equal((await test.api("olive", "POST", `${path}/keep`, laptop)).status, 204);
  assert.deepEqual((await list()).map(({ kept_by }) => kept_by), ["olive"]);
  const forget = (person: "alice" | "olive", confirm_hostname: string) =>
    test.api(person, "POST", `${path}/forget`, { ...laptop, confirm_hostname });
  assert.equal((await forget("olive", "laptop")).status, 403);
  assert.deepEqual((await forget("alice", "Laptop")).body.error.code, "name_mismatch");
  const begun = await forget("alice", "laptop");
  assert.equal(begun.status, 202);
  const order = await alpha.agent.next("command.run", ({ job_id }) => job_id === begun.body.job_id);
  assert.deepEqual(order.forget![0]!.snapshots, [{
    host: "laptop",
    tags: [],
    keep: [],
    remove: [tagless.id],
  }]);
  assert.equal(order.forget![0]!.retention, null);
  // A group that is removed leaves its snapshots to be decided upon, or to another group.
  const { body: second } = await test.api("alice", "POST", groups, {
    name: "second",
    includes: ["/srv"],
  });
  const wrong = await test.api(
    "olive",
    "DELETE",
    `${groups}/${alpha.groupId}?snapshots=adopt&adopt_by=${alpha.groupId}`,
  );
  assert.deepEqual([wrong.status, wrong.body.error.field], [422, "adopt_by"]);
  assert.equal(
    (await test.api(
      "olive",
      "DELETE",
      `${groups}/${alpha.groupId}?snapshots=adopt&adopt_by=${second.id}`,
    )).status,
    204,
  );
  assert.ok(!(await list()).some(({ hostname }) => hostname === "alpha"));
  assert.equal((await test.api("olive", "DELETE", `${groups}/${second.id}`)).status, 204);
  assert.deepEqual((await list()).map(({ hostname }) => hostname).sort(), [
    "alpha",
    "laptop",
  ]);
  await alpha.agent.close();
});

Deno.test("whoever removes a host may have its snapshots forgotten by another, or is told that none is there", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  const made = await beta.backup();
  await alpha.away();
  const remove = () =>
    test.api("alice", "DELETE", `/api/hosts/${beta.host.hostId}?snapshots=forget`);
  const refused = await remove();
  assert.deepEqual([refused.status, refused.body.error.field], [409, "snapshots"]);
  await alpha.connect();
  const { status, body } = await remove();
  assert.equal(status, 202);
  const order = await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  assert.deepEqual(order.forget![0]!.snapshots, [{
    host: "beta",
    tags: ["default"],
    keep: [],
    remove: [made.id],
  }]);
  await alpha.agent.close();
});

/** An ordered backup with this result; returns the job. */
async function backupOf(
  alpha: Machine,
  summary: Record<string, unknown>,
  more: Record<string, unknown> = {},
) {
  const { id } = await alpha.backup();
  const { body } = await alpha.test.api("olive", "POST", `/api/hosts/${alpha.host.hostId}/jobs`, {
    kind: "backup",
  });
  await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  alpha.begin(body.job_id);
  const snapshot = alpha.repository.add({ hostname: "alpha", time: alpha.now });
  alpha.list();
  await alpha.finish(body.job_id, snapshot.id, {
    ...more,
    summary: { ...SUMMARY, ...summary, snapshot_id: snapshot.id },
  });
  const job = (await alpha.test.api("victor", "GET", `/api/jobs/${body.job_id}`)).body;
  return { job, snapshot, before: id };
}

const state = async (alpha: Machine) =>
  (await alpha.test.api("victor", "GET", `/api/hosts/${alpha.host.hostId}`)).body;

for (
  const [what, summary] of [
    ["no files", { files_new: 0, files_changed: 0, files_unmodified: 0, bytes_processed: 0 }],
    ["files without content", { files_new: 3, bytes_processed: 0 }],
  ] as const
) {
  Deno.test(`a backup of ${what} has failed, whatever its agent says, and takes no good one's place`, async () => {
    const { test, alpha } = await setUp();
    await using _ = test;
    await alpha.keep({ keep_last: 1 });
    const { job, snapshot, before } = await backupOf(alpha, summary);
    assert.deepEqual([job.status, job.reason_code, job.withheld], [
      "failed",
      "nothing_saved",
      "nothing_saved",
    ]);
    assert.equal((await state(alpha)).state, "bad");
    const { orders, removed } = await alpha.forget();
    assert.deepEqual(removed, []);
    assert.ok(before.startsWith(orders[0]!.snapshots[0]!.keep[0]!));
    // Never by waiting.
    test.clock.pass(60 * DAY);
    assert.deepEqual((await alpha.forget()).removed, []);
    assert.equal((await test.api("victor", "POST", `/api/jobs/${job.id}/accept`)).status, 403);
    const accepted = await test.api("olive", "POST", `/api/jobs/${job.id}/accept`);
    assert.deepEqual([accepted.status, accepted.body.status, accepted.body.accepted_by], [
      200,
      "succeeded",
      "olive",
    ]);
    assert.equal((await test.api("olive", "POST", `/api/jobs/${job.id}/accept`)).status, 409);
    assert.equal((await state(alpha)).last_backup.status, "succeeded");
    const after = await alpha.forget({ may_drop_most: true });
    assert.ok(!after.removed.includes(snapshot.id));
    await alpha.agent.close();
  });
}

Deno.test("a backup of nothing or of far less that could not be verified takes no good one's place either", async () => {
  const { test, alpha } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_last: 1 });
  const unverified = { status: "failed", reason_code: "not_verified", reason: "It broke off." };
  const nothing = { files_new: 0, files_changed: 0, files_unmodified: 0, bytes_processed: 0 };
  for (
    const [summary, more, withheld] of [
      [nothing, {}, "nothing_saved"],
      [{ files_unmodified: 3 }, {}, "less_than_usual"],
      [{}, { sources: [{ path: "/home", problem: "empty" }] }, "source_empty"],
    ] as const
  ) {
    const { job, snapshot, before } = await backupOf(alpha, summary, { ...unverified, ...more });
    assert.deepEqual([job.status, job.reason_code, job.withheld], [
      "failed",
      "not_verified",
      withheld,
    ]);
    const { orders, removed } = await alpha.forget({ may_drop_most: true });
    assert.ok(!removed.includes(before) && !removed.includes(snapshot.id), withheld);
    assert.ok(before.startsWith(orders[0]!.snapshots[0]!.keep[0]!));
  }
  // What it saved is right, says someone; that it failed stays true.
  const { job } = await backupOf(alpha, { files_unmodified: 3 }, unverified);
  assert.equal(
    (await test.api("olive", "POST", `/api/jobs/${job.id}/accept`)).body.status,
    "failed",
  );
  assert.equal((await state(alpha)).last_backup.status, "failed");
  await alpha.agent.close();
});

Deno.test("a backup of less than half of what is usual is warned of and withheld until someone says that it is right", async () => {
  const { test, alpha, groups } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_last: 1 });
  for (let n = 0; n < 4; n++) await alpha.backup();
  const half = await backupOf(alpha, { files_unmodified: 48, bytes_processed: 50_000 });
  assert.deepEqual([half.job.warnings, half.job.withheld], [0, null]);
  for (const less of [{ files_unmodified: 47 }, { bytes_processed: 49_999 }]) {
    const { job } = await backupOf(alpha, less);
    assert.deepEqual([job.status, job.warnings, job.reason_code, job.withheld], [
      "succeeded",
      1,
      "less_than_usual",
      "less_than_usual",
    ]);
    assert.match(
      job.reason,
      /Far less than usual was saved: (49 files, usually 100|48\.8 KiB, usually 97\.7 KiB)\./,
    );
  }
  assert.equal((await state(alpha)).state, "warn");
  const { job, snapshot } = await backupOf(alpha, { files_unmodified: 1, bytes_processed: 20 });
  const { removed } = await alpha.forget();
  assert.ok(!removed.includes(snapshot.id));
  await test.api("olive", "POST", `/api/jobs/${job.id}/accept`);
  assert.equal((await state(alpha)).state, "ok");
  // What is usual begins again with it.
  const { body } = await test.api("olive", "POST", `/api/hosts/${alpha.host.hostId}/jobs`, {
    kind: "backup",
  });
  await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  await alpha.run(body.job_id, {});
  const again = await backupOf(alpha, { files_unmodified: 1, bytes_processed: 20 });
  assert.equal(again.job.withheld, "less_than_usual");
  await test.api("olive", "PUT", `${groups}/${alpha.groupId}`, {
    name: "default",
    includes: ["/home"],
    usual_share_percent: 0,
  });
  assert.equal(
    (await backupOf(alpha, { files_unmodified: 1, bytes_processed: 20 })).job.withheld,
    null,
  );
  await alpha.agent.close();
});

Deno.test("what is wrong with the paths withholds the snapshot; accepted, the agent is told, and asked again after it was mended", async () => {
  const { test, alpha } = await setUp();
  await using _ = test;
  const link = { path: "/home", problem: "link" };
  const { job } = await backupOf(alpha, {}, {
    sources: [link],
    warnings: 1,
    reason: "/home is a link.",
  });
  assert.deepEqual([job.status, job.withheld], ["succeeded", "source_link"]);
  await test.api("olive", "POST", `/api/jobs/${job.id}/accept`);
  const plan = async (accepted: unknown) => {
    await alpha.agent.next(
      "plan.set",
      ({ source_groups }) =>
        JSON.stringify(source_groups[0]?.accepted) === JSON.stringify(accepted),
    );
  };
  await plan([link]);
  const same = async (more: Record<string, unknown>) => {
    const { body } = await test.api("olive", "POST", `/api/hosts/${alpha.host.hostId}/jobs`, {
      kind: "backup",
    });
    await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
    await alpha.run(body.job_id, {}, {}, more);
    return (await test.api("victor", "GET", `/api/jobs/${body.job_id}`)).body;
  };
  assert.equal((await same({ sources: [link] })).withheld, null);
  const before = alpha.agent.received.length;
  assert.equal((await same({})).withheld, null);
  await alpha.agent.next(
    "plan.set",
    (message) =>
      alpha.agent.received.indexOf(message) >= before &&
      message.source_groups[0]?.accepted?.length === 0,
  );
  assert.equal((await same({ sources: [link] })).withheld, "source_link");
  await alpha.agent.close();
});

Deno.test("what restic could not read or would misunderstand is refused or said when a group is saved", async () => {
  const { test, alpha, groups } = await setUp();
  await using _ = test;
  const save = (more: Record<string, unknown>) =>
    test.api("alice", "PUT", `${groups}/${alpha.groupId}`, {
      name: "default",
      includes: ["/home", "/srv"],
      ...more,
    });
  for (
    const [field, value] of [
      ["excludes", ["*.tmp", "[a"]],
      ["iexcludes", ["a[]b"]],
      ["exclude_larger_than", "12 parsecs"],
      ["exclude_larger_than", "0"],
      ["exclude_if_present", ["a/b"]],
      ["one_file_system", "yes"],
      ["usual_share_percent", 101],
    ] as const
  ) {
    const { status, body } = await save({ [field]: value });
    assert.equal(status, 422, field);
    assert.match(body.error.field, new RegExp(`^${field}`));
  }
  const saved = await save({
    excludes: ["/var/cache", "/home/*/.cache", "~/x", "/srv", "*.iso"],
    iexcludes: ["*.ISO"],
    exclude_larger_than: "2G",
    exclude_caches: true,
    exclude_if_present: [".nobackup", "CACHEDIR.TAG:Signature"],
    one_file_system: true,
    retention: { keep_last: 3 },
  });
  assert.equal(saved.status, 200);
  assert.deepEqual(
    saved.body.warnings.map((each: string) => /pattern (\S+) /.exec(each)?.[1]),
    ["/var/cache", "~/x"],
  );
  await alpha.agent.next(
    "plan.set",
    ({ source_groups }) => source_groups[0]?.exclude_larger_than === "2G",
  );
  // The repository of this test is /srv/restic/alpha; /var/lib/restic-manager is the agent's own.
  const own = await save({ includes: ["/"], excludes: ["/var/lib/restic-manager"] });
  assert.equal(own.body.warnings.length, 1);
  assert.match(own.body.warnings[0], /the repository itself/);
  assert.match(
    (await save({ includes: ["/var/lib"] })).body.warnings.join(),
    /the agent's own state/,
  );
  await test.api("alice", "PUT", `/api/repositories/${alpha.host.repositoryId}`, {
    name: "alpha repository",
    url: "/srv/restic/alpha",
    append_only: true,
  });
  assert.match(
    (await save({ retention: { keep_last: 3 } })).body.warnings.join(),
    /counts snapshots alone/,
  );
  assert.deepEqual(
    (await save({ retention: { keep_last: 3, keep_daily: 7 } })).body.warnings.filter((
      each: string,
    ) => /alone/.test(each)),
    [],
  );
  await alpha.agent.close();
});
