// A pin keeps a snapshot from every forget of ours, whoever orders it and whatever agents list, until it is unpinned; and one snapshot is
// deleted by its typed id.
import assert from "node:assert/strict";
import { browsePage } from "../../support/browse_page.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRepository, Machine } from "../../support/fake_repository.ts";
import { type Person, startServer } from "../../support/start_server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  test.clock.pass(1.5 * DAY - Date.now() % DAY);
  const repository = new FakeRepository();
  // A path would be another place on each host.
  const nas = { name: "nas", url: "rest:https://nas.example.org/r/", is_new: true };
  const { body: made } = await test.api("alice", "POST", "/api/repositories", nas);
  const alpha = await Machine.join(test, repository, "alpha", made.id);
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  for (const { agent } of [alpha, beta]) {
    stack.defer(async () => agent.closed ? undefined : await agent.close());
  }
  const pin = (
    id: string,
    person: Person = "olive",
    reason: unknown = "before the move",
    query = "",
  ) => test.api(person, "PUT", `/api/snapshots/${id}/pin${query}`, { reason });
  const unpin = (id: string, person: Person = "olive") =>
    test.api(person, "DELETE", `/api/snapshots/${id}/pin`);
  const pinned = async (id: string, person: Person = "olive") =>
    assert.equal((await pin(id, person)).status, 200);
  const remove = (id: string, confirm_id: unknown = id.slice(0, 8), person: Person = "alice") =>
    test.api(person, "DELETE", `/api/snapshots/${id}`, { confirm_id });
  const shown = async (id: string) =>
    (await test.api("victor", "GET", "/api/snapshots?limit=500")).body.items.find((
      each: { id: string },
    ) => each.id === id);
  const backups = async (machine: Machine, count: number) => {
    const made = [];
    for (let n = 0; n < count; n++) {
      test.clock.pass(DAY);
      made.push(await machine.backup());
    }
    return made;
  };
  const audited = (action: string) =>
    test.server.database.sqlite.prepare("select actor_name, detail from audit where action = ?")
      .all(action).map(({ actor_name, detail }) => ({ actor_name, ...JSON.parse(String(detail)) }));
  const order = async (machine: Machine, jobId: string) =>
    await machine.agent.next("command.run", ({ job_id }) => job_id === jobId);
  const goes = async (machine: Machine, jobId: string) =>
    (await order(machine, jobId)).forget!.flatMap(({ snapshots }) =>
      snapshots.flatMap(({ remove }) => remove)
    );
  /** A backup that runs, so that a forget waits for it; returns what ends it. */
  const backingUp = async () => {
    const { body } = await test.api("olive", "POST", `/api/hosts/${beta.host.hostId}/jobs`, {
      kind: "backup",
    });
    beta.begin(body.job_id);
    await beta.agent.acknowledged(beta.agent.lines(body.job_id, 1, ["goes on"]));
    return () => beta.agent.acknowledged(beta.agent.finished(body.job_id, { status: "cancelled" }));
  };
  const path = `/api/repositories/${alpha.host.repositoryId}`;
  return Object.assign(stack.move(), {
    test,
    repository,
    alpha,
    beta,
    pin,
    unpin,
    pinned,
    remove,
    shown,
    backups,
    audited,
    goes,
    backingUp,
    path,
  });
}

Deno.test("a pinned snapshot outlives the policy that would remove it, takes no other's place, and goes when it is unpinned", async () => {
  await using all = await setUp();
  const { test, alpha, backups, pin, unpin, shown, audited } = all;
  await alpha.keep({ keep_last: 2 });
  const made = await backups(alpha, 5);
  const [first] = made;
  const answer = await pin(first!.id.slice(0, 12));
  assert.deepEqual([answer.status, answer.body.by, answer.body.reason], [
    200,
    "olive",
    "before the move",
  ]);
  assert.ok(Math.abs(Date.parse(answer.body.at) - test.server.now()) < 60_000);
  const preview = await test.api(
    "olive",
    "POST",
    `/api/hosts/${alpha.host.hostId}/source-groups/${alpha.groupId}/retention-preview`,
    { retention: { keep_last: 2 } },
  );
  assert.deepEqual(
    preview.body.keep.map(({ id, reasons }: { id: string; reasons: string[] }) => [id, reasons]),
    [
      [made[4]!.id, ["last"]],
      [made[3]!.id, ["last"]],
      [first!.id, ["pinned"]],
    ],
  );
  const { removed } = await alpha.forget();
  assert.deepEqual(removed.sort(), [made[1]!.id, made[2]!.id].sort());
  const item = await shown(first!.id);
  assert.deepEqual([item.pinned, item.pin.by, item.pin.reason], [true, "olive", "before the move"]);
  // Pinned again: the new reason, and the audit has both.
  await pin(first!.id, "alice", "for the auditors");
  assert.equal((await shown(first!.id)).pin.by, "alice");
  assert.deepEqual((await alpha.forget()).removed, []);
  assert.equal((await unpin(first!.id)).status, 204);
  assert.equal((await unpin(first!.id)).status, 404);
  assert.deepEqual((await alpha.forget()).removed, [first!.id]);
  const [one, two] = audited("snapshot.pinned");
  assert.deepEqual([one.actor_name, one.snapshot, one.host, one.reason], [
    "olive",
    first!.id,
    "alpha",
    "before the move",
  ]);
  assert.deepEqual([two.reason, two.reason_before, two.pinned_before_by], [
    "for the auditors",
    "before the move",
    "olive",
  ]);
  assert.deepEqual(
    audited("snapshot.unpinned").map(({ reason, pinned_by }) => [reason, pinned_by]),
    [
      ["for the auditors", "alice"],
    ],
  );
});

Deno.test("viewers pin nothing, operators what is of a host whose folders they may see, and a reason is a line of text", async () => {
  await using all = await setUp();
  const { test, alpha, repository, pin, unpin, backups } = all;
  const [own] = await backups(alpha, 1);
  const foreign = repository.add({ hostname: "laptop", time: test.server.now() - 9 * DAY });
  await alpha.keep({ keep_last: 9 });
  await alpha.forget();
  assert.equal((await pin(own!.id, "victor")).status, 403);
  assert.equal((await pin(foreign.id)).status, 403);
  assert.equal((await pin(foreign.id, "alice")).status, 200);
  assert.equal((await unpin(foreign.id)).status, 403);
  for (const reason of ["", "  ", "two\nlines", "x".repeat(501), 7, null]) {
    const { status, body } = await pin(own!.id, "olive", reason);
    assert.deepEqual([status, body.error.field], [422, "reason"], String(reason));
  }
  const more = await test.api("olive", "PUT", `/api/snapshots/${own!.id}/pin`, {
    reason: "x",
    by: "y",
  });
  assert.deepEqual([more.status, more.body.error.field], [422, "by"]);
  assert.equal((await pin("ab".repeat(32))).status, 404);
  assert.equal((await pin("x")).status, 422);
  assert.equal((await pin(own!.id)).status, 200);
  const approved = await test.api("alice", "PATCH", `/api/hosts/${alpha.host.hostId}`, {
    approved_roots: [],
  });
  assert.equal(approved.status, 200);
  assert.equal((await unpin(own!.id)).status, 403);
  const page = await browsePage(test, "olive");
  assert.ok(!(await page(`/snapshots/${own!.id}`)).includes("Unpin"));
  const admin = await browsePage(test, "alice");
  assert.match(await admin(`/snapshots/${own!.id}`), /Unpin…[\s\S]*It is pinned: unpin it first/);
});

Deno.test("a person who forgets what no group governs, or a host with all it has, leaves what is pinned there", async () => {
  await using all = await setUp();
  const { test, alpha, beta, repository, pinned, goes, path, unpin } = all;
  const now = test.server.now();
  const old = [1, 2].map((n) => repository.add({ hostname: "old", time: now - n * DAY }));
  const only = repository.add({ hostname: "only", time: now - DAY });
  await alpha.keep({ keep_last: 9 });
  const [one, two] = await all.backups(beta, 2);
  await alpha.forget();
  for (const { id } of [old[0]!, only, one!]) await pinned(id, "alice");
  const ungoverned = (await test.api("olive", "GET", `${path}/ungoverned-snapshots`)).body.items;
  assert.deepEqual(
    ungoverned.map((each: Record<string, unknown>) => [each.hostname, each.count, each.pinned])
      .sort(),
    [["old", 2, 1], ["only", 1, 1]],
  );
  const forget = (hostname: string) =>
    test.api("alice", "POST", `${path}/ungoverned-snapshots/forget`, {
      hostname,
      tags: ["default"],
      confirm_hostname: hostname,
    });
  const refused = await forget("only");
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  const started = await forget("old");
  assert.deepEqual(await goes(alpha, started.body.job_id), [old[1]!.id]);
  alpha.begin(started.body.job_id);
  await alpha.agent.acknowledged(alpha.agent.finished(started.body.job_id, { forgotten: [] }));
  const removal = await test.api(
    "alice",
    "DELETE",
    `/api/hosts/${beta.host.hostId}?snapshots=forget`,
  );
  assert.deepEqual(await goes(alpha, removal.body.job_id), [two!.id]);
  // The pin outlives its host: known from the pin alone until a maintenance lists all again.
  const kept = (await test.api("victor", "GET", "/api/snapshots")).body.items
    .find(({ id }: { id: string }) => id === one!.id);
  assert.deepEqual([kept.host, kept.host_id, kept.pinned], ["beta", null, true]);
  alpha.begin(removal.body.job_id);
  await alpha.agent.acknowledged(alpha.agent.finished(removal.body.job_id, { forgotten: [] }));
  const adopted = await test.api("alice", "POST", `${path}/ungoverned-snapshots/adopt`, {
    hostname: "beta",
    tags: ["default"],
    source_group_id: alpha.groupId,
  });
  assert.equal(adopted.status, 200, JSON.stringify(adopted.body));
  await alpha.keep({ keep_last: 1 });
  await all.backups(alpha, 2);
  const { removed } = await alpha.forget({ may_drop_most: true });
  assert.ok(removed.length > 0 && !removed.includes(one!.id));
  assert.equal((await unpin(one!.id, "alice")).status, 204);
  assert.ok((await alpha.forget({ may_drop_most: true })).removed.includes(one!.id));
});

Deno.test("a pin that comes while a forget waits is heeded; once the order removes it the pin is refused, until that has ended", async () => {
  await using all = await setUp();
  const { test, alpha, pin, backups, goes, path, shown } = all;
  await alpha.keep({ keep_last: 1 });
  const made = await backups(alpha, 3);
  const endBackup = await all.backingUp();
  const start = async (more = {}) =>
    (await test.api("alice", "POST", `${path}/jobs`, {
      kind: "forget",
      host_id: alpha.host.hostId,
      ...more,
    })).body.job_id as string;
  const jobId = await start();
  assert.equal((await pin(made[0]!.id)).status, 200);
  await endBackup();
  assert.deepEqual(await goes(alpha, jobId), [made[1]!.id]);
  const late = await pin(made[1]!.id);
  assert.deepEqual([late.status, late.body.error.code], [409, "conflict"]);
  assert.match(late.body.error.message, new RegExp(jobId));
  assert.equal((await shown(made[1]!.id)).pinned, false);
  // What it keeps can be pinned.
  assert.equal((await pin(made[2]!.id)).status, 200);
  alpha.begin(jobId);
  await alpha.agent.acknowledged(alpha.agent.finished(jobId, { status: "failed" }));
  assert.equal((await pin(made[1]!.id)).status, 200);
  // A dry run removes nothing, and so keeps no pin away.
  await all.unpin(made[1]!.id);
  const dry = await start({ dry_run: true });
  assert.deepEqual(await goes(alpha, dry), [made[1]!.id]);
  assert.equal((await pin(made[1]!.id)).status, 200);
});

Deno.test("whatever lists say, a pin stays; one that is gone from them is shown as a loss and still keeps its snapshot", async () => {
  await using all = await setUp();
  const { test, alpha, repository, pinned, backups, shown } = all;
  await alpha.keep({ keep_last: 1 });
  const made = await backups(alpha, 3);
  await pinned(made[0]!.id);
  const honest = [...repository.snapshots];
  // The agent hides it, then has it back with another tag, then as another's.
  await alpha.agent.acknowledged(alpha.list(honest.slice(1)));
  const item = await shown(made[0]!.id);
  assert.deepEqual([item.listed, item.pinned, item.host, item.time], [
    false,
    true,
    "alpha",
    new Date(made[0]!.time).toISOString(),
  ]);
  const page = await browsePage(test, "alice");
  assert.match(await page(`/hosts/${alpha.host.hostId}`), /1 pinned snapshot in no list any more/);
  assert.match(
    await page(`/repositories/${alpha.host.repositoryId}/snapshots`),
    /no longer listed/,
  );
  assert.match(await page(`/snapshots/${made[0]!.id}`), /pinned, but no longer listed/);
  assert.equal((await all.remove(made[0]!.id)).status, 409);
  const lies = [{ ...honest[0]!, tags: ["x"] }, { ...honest[0]!, hostname: "beta" }, honest[0]!];
  for (const lie of lies) {
    const [, ...others] = repository.snapshots;
    await alpha.agent.acknowledged(alpha.list([lie, ...others]));
    await alpha.forget({ may_drop_most: true });
    assert.equal((await shown(made[0]!.id)).pinned, true);
  }
  assert.ok(!(await page(`/hosts/${alpha.host.hostId}`)).includes("in no list any more"));
  assert.deepEqual(repository.snapshots.map(({ id }) => id), [made[0]!.id, made[2]!.id]);
});

Deno.test("of a snapshot in two repositories the pin is that of one, unless both are the same place", async () => {
  await using all = await setUp();
  const { test, alpha, repository, backups, pin, remove } = all;
  const [one] = await backups(alpha, 1);
  const other = await Machine.join(test, repository, "other");
  all.defer(() => other.agent.close());
  await other.agent.acknowledged(other.list([one!]));
  const two = await pin(one!.id);
  assert.deepEqual([two.status, two.body.error.field], [409, "repository"]);
  const query = `?repository=${alpha.host.repositoryId}`;
  assert.equal((await pin(one!.id, "olive", "this one", query)).status, 200);
  const states = async () =>
    Object.fromEntries(
      (await test.api("victor", "GET", "/api/snapshots")).body.items.map((
        each: { repository_id: string; pinned: boolean },
      ) => [each.repository_id, each.pinned]),
    );
  const { repositoryId } = other.host;
  assert.deepEqual(await states(), { [alpha.host.repositoryId]: true, [repositoryId]: false });
  // The same id that restic gave them: one storage under two names.
  const { sqlite } = test.server.database;
  for (const id of [alpha.host.repositoryId, repositoryId]) {
    sqlite.prepare(
      "insert into repository_ids (repository_id, host_id, restic_id, first_seen_at) values (?, null, ?, 1)",
    ).run(id, "ef".repeat(32));
  }
  assert.deepEqual(await states(), { [alpha.host.repositoryId]: true, [repositoryId]: true });
  const refused = await remove(`${one!.id}?repository=${repositoryId}`, one!.id.slice(0, 8));
  assert.equal(refused.status, 409);
  assert.match(refused.body.error.message, /olive has pinned/);
});

Deno.test("one snapshot is deleted by an admin who types its digits, also one that a group governs, and is gone from every list", async () => {
  await using all = await setUp();
  const { alpha, beta, remove, backups, goes, pinned, unpin, shown, audited } = all;
  await alpha.keep({ keep_last: 9 });
  const made = await backups(beta, 2);
  const [one] = made;
  for (const confirm of ["", one!.id.slice(0, 7), one!.id.slice(0, 9), one!.id, "deadbeef", 1]) {
    const { status, body } = await remove(one!.id, confirm);
    assert.equal(status, typeof confirm === "string" ? 400 : 422);
    assert.equal(body.error.field, "confirm_id");
  }
  assert.equal((await remove(one!.id, undefined, "olive")).status, 403);
  await pinned(one!.id);
  const refused = await remove(one!.id);
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  assert.equal((await unpin(one!.id)).status, 204);
  const { status, body } = await remove(one!.id.slice(0, 10), one!.id.slice(0, 8));
  assert.equal(status, 202);
  assert.match(body.job_url, new RegExp(`/jobs/${body.job_id}$`));
  assert.deepEqual(await goes(alpha, body.job_id), [one!.id]);
  // Pinned before the order is carried out: too late.
  assert.equal((await all.pin(one!.id)).status, 409);
  alpha.begin(body.job_id);
  alpha.listWhole(body.job_id);
  all.repository.snapshots = all.repository.snapshots.filter(({ id }) => id !== one!.id);
  alpha.listWhole(body.job_id);
  await alpha.agent.acknowledged(alpha.agent.finished(body.job_id, { forgotten: [] }));
  // Also from the list of its own host, which has not listed since.
  assert.equal(await shown(one!.id), undefined);
  assert.ok(await shown(made[1]!.id));
  assert.equal((await remove(one!.id)).status, 404);
  const [entry] = audited("snapshot.delete_ordered");
  assert.deepEqual([entry.actor_name, entry.snapshot, entry.host, entry.job_id, entry.tags], [
    "alice",
    one!.id,
    "beta",
    body.job_id,
    ["default"],
  ]);
});

Deno.test("a delete whose snapshot is pinned while it waits fails, and removes nothing", async () => {
  await using all = await setUp();
  const { test, alpha, remove, backups, pin } = all;
  const [one] = await backups(alpha, 1);
  const endBackup = await all.backingUp();
  const { body } = await remove(one!.id);
  assert.equal((await pin(one!.id)).status, 200);
  await endBackup();
  const job = await eventually("the delete has failed", async () => {
    const { body: found } = await test.api("victor", "GET", `/api/jobs/${body.job_id}`);
    return found.status === "failed" && found;
  });
  assert.match(job.reason, /pinned/);
  assert.ok(
    !alpha.agent.received.some((each) => each.type === "command.run" && each.kind === "forget"),
  );
});
