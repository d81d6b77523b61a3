// POST /api/hosts/{id}/jobs {"kind": "restore"}: who may restore what to where, what the agent is told, and what a lying one makes of it.
import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { type Person, startServer } from "../../support/start_server.ts";

const ID = "1a2b3c4d".repeat(8);
const THEIRS = "5e6f7a8b".repeat(8);

/** alpha with a snapshot of /home and /srv, in the same repository beta with another; gamma has a repository of its own. */
async function world() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const alpha = await joinHost(test, "alpha", { url: "rest:https://backup.example.org/alpha/" }, [
    "/home",
  ]);
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const gamma = await joinHost(test, "gamma", { password: "the password of gamma" });
  const connect = async (host: typeof alpha) => {
    const agent = await FakeAgent.connect(test.url, host.bearer);
    stack.defer(() => agent.close());
    return agent;
  };
  const agents = {
    alpha: await connect(alpha),
    beta: await connect(beta),
    gamma: await connect(gamma),
  };
  const { repositoryId } = alpha;
  // Their repositories are there.
  for (const agent of Object.values(agents)) {
    const { job_id } = await agent.next("command.run", ({ kind }) => kind === "init");
    await agent.acknowledged(agent.finished(job_id, { created: true }));
  }
  await agents.alpha.acknowledged(agents.alpha.snapshots(repositoryId, [ID]));
  await agents.beta.acknowledged(agents.beta.snapshots(repositoryId, [THEIRS]));
  const restore = (more: Record<string, unknown> = {}, person: Person = "alice", host = alpha) =>
    test.api(person, "POST", `/api/hosts/${host.hostId}/jobs`, {
      kind: "restore",
      snapshot_id: ID,
      items: [{ path: "/home/anna" }],
      target: { kind: "folder", path: "/home/restored" },
      ...more,
    });
  const ordered = async (agent: FakeAgent, job_id: string) => {
    const order = await agent.next("command.run", (each) => each.job_id === job_id);
    return order as typeof order & { restore: NonNullable<typeof order.restore> };
  };
  return Object.assign(stack.move(), { test, alpha, beta, gamma, agents, restore, ordered });
}

Deno.test("a restore is ordered with exactly what was asked, and its end is told", async () => {
  await using all = await world();
  const bytes = btoa("/home/caf\xe9");
  const started = await all.restore({
    snapshot_id: ID.slice(0, 8),
    items: [{ path: "/home//anna/" }, { path: "bytes:/home/x%FF" }, { path_bytes: bytes }, {
      path: "/home/anna",
    }],
    verify: true,
    bandwidth_down_kbps: 500,
  });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const { job_id } = started.body;
  const order = await all.ordered(all.agents.alpha, job_id);
  assert.deepEqual(order.restore, {
    snapshot: ID,
    items: ["/home/anna", "bytes:/home/x%FF", "bytes:/home/caf%E9"],
    target: { kind: "folder", path: "/home/restored", keep_paths: true },
    within: null,
    overwrite: "always",
    dry_run: false,
    verify: true,
    undo: false,
  });
  assert.equal(order.reader_access, undefined);
  assert.equal(order.bandwidth_down_kib_per_s, 500);
  const { alpha } = all.agents;
  alpha.started(job_id);
  const restored = {
    entries: 3,
    bytes: 10,
    written: 2,
    same: 0,
    kept: 0,
    failed: 1,
    attributes: 0,
    failures: Array.from(
      { length: 100 },
      (_, n) => ({ path: `/${n}${"x".repeat(4000)}`, problem: "\u001b[31m<b>" }),
    ),
    target: "/home/restored",
    opened_for: null,
    checked: true,
    verified: true,
    continued: false,
    undo_snapshot: null,
  };
  await alpha.acknowledged(
    alpha.finished(job_id, {
      status: "failed",
      reason: "Not whole.",
      reason_code: "not_whole",
      restored,
    }),
  );
  const { body: job } = await all.test.api("victor", "GET", `/api/jobs/${job_id}`);
  assert.deepEqual([job.kind, job.status, job.restore.snapshot_id, job.restore.items_count], [
    "restore",
    "failed",
    ID,
    3,
  ]);
  assert.equal(job.restore.result.failed, 1);
  // What an agent says of failed items is kept within bounds.
  assert.ok(JSON.stringify(job.restore.result).length < 40_000);
  const [audited] = all.test.server.database.sqlite
    .prepare("select detail from audit where action = 'job.started' and target_id = ?").all(
      job_id,
    ) as { detail: string }[];
  assert.deepEqual(JSON.parse(audited!.detail), {
    host_id: all.alpha.hostId,
    host: "alpha",
    snapshot: ID,
    of: "alpha",
    items: 3,
    first_items: ["/home/anna", "bytes:/home/x%FF", "bytes:/home/caf%E9"],
    to: "/home/restored",
  });
  const list = await all.test.api("victor", "GET", "/api/jobs?kind=restore");
  assert.equal(list.body.items.length, 1);
});

Deno.test("without a path a new folder is proposed: an operator's in a folder that an admin approved", async () => {
  await using all = await world();
  const to = async (person: Person) => {
    const { body } = await all.restore({ target: { kind: "folder", keep_paths: false } }, person);
    const { restore } = await all.ordered(all.agents.alpha, body.job_id);
    return restore;
  };
  const mine = await to("olive");
  assert.match(
    mine.target.kind === "folder" ? mine.target.path : "",
    /^\/home\/restored-1a2b3c4d-\d{8}-\d{4}$/,
  );
  assert.deepEqual(mine.within, ["/home"]);
  const admins = await to("alice");
  assert.match(
    admins.target.kind === "folder" ? admins.target.path : "",
    /^\/srv\/restore\/1a2b3c4d-\d{8}-\d{4}$/,
  );
  assert.equal(admins.within, null);
});

Deno.test("an operator restores what was approved, of a host to itself, into an approved folder; the rest is for admins", async () => {
  await using all = await world();
  const refused: [Record<string, unknown>, string][] = [
    [{ items: [{ path: "/etc" }] }, "items"],
    [{ items: [{ path: "/home/anna" }, { path: "/" }] }, "items"],
    [{ items: [{ path: "/home/../etc" }] }, ""],
    [{ target: { kind: "folder", path: "/srv/x" } }, "target.path"],
    [{ target: { kind: "folder", path: "/home/../etc/x" } }, ""],
    [{ target: { kind: "folder", path: "/homeless" } }, "target.path"],
    [{ target: { kind: "original", confirm_hostname: "alpha" } }, "target"],
    [{ snapshot_id: THEIRS }, "snapshot_id"],
  ];
  for (const [more, field] of refused) {
    const { status, body } = await all.restore(more, "olive");
    assert.ok(field ? status === 403 : status === 422, `${JSON.stringify(more)} ${status}`);
    if (field) assert.equal(body.error.field, field, JSON.stringify(body));
  }
  assert.equal((await all.restore({}, "olive", all.beta)).status, 403);
  assert.equal((await all.restore({}, "victor")).status, 403);
  assert.equal((await all.restore({}, "olive")).status, 202);
  const admins = [
    {},
    { snapshot_id: THEIRS },
    { items: [{ path: "/" }] },
    { target: { kind: "original", confirm_hostname: "alpha" } },
  ];
  for (const more of admins) {
    assert.equal((await all.restore(more)).status, 202, JSON.stringify(more));
  }
  await all.test.api("alice", "PATCH", `/api/hosts/${all.alpha.hostId}`, { approved_roots: [] });
  assert.equal((await all.restore({}, "olive")).status, 403);
});

Deno.test("what is asked wrongly is refused with its field, and nothing is started", async () => {
  await using all = await world();
  const refused: [Record<string, unknown>, number, string][] = [
    [{ snapshot_id: undefined }, 422, "snapshot_id"],
    [{ snapshot_id: "xyz" }, 422, "snapshot_id"],
    [{ snapshot_id: "0".repeat(64) }, 422, "snapshot_id"],
    [{ items: undefined }, 422, "items"],
    [{ items: [] }, 422, "items"],
    [{ items: [{ path: "relative" }] }, 422, "items.0.path"],
    [{ items: [{ path_bytes: btoa("relative") }] }, 422, "items"],
    [{ items: [{ path_bytes: btoa("/a\0b") }] }, 422, "items"],
    [{ items: [{ path: "/a", other: 1 }] }, 422, "items.0"],
    [{ target: undefined }, 422, "target"],
    [{ target: { kind: "elsewhere" } }, 422, "target"],
    [{ target: { kind: "folder", path: "relative" } }, 422, "target.path"],
    [{ target: { kind: "folder", path: "/x\ny" } }, 422, "target.path"],
    [{ target: { kind: "original" } }, 422, "target.confirm_hostname"],
    [{ target: { kind: "original", confirm_hostname: "beta" } }, 400, "target.confirm_hostname"],
    [{ overwrite: "sometimes" }, 422, "overwrite"],
    [{ overwrite: "never" }, 422, "overwrite"],
    [
      { items: Array.from({ length: 40 }, (_, n) => ({ path: `/${n}${"x/y".repeat(4000)}` })) },
      422,
      "items",
    ],
  ];
  for (const [more, status, field] of refused) {
    const answer = await all.restore(more);
    const what = JSON.stringify(more).slice(0, 100);
    assert.equal(answer.status, status, `${what} ${JSON.stringify(answer.body)}`);
    assert.ok(
      String(answer.body.error.field).startsWith(field.split(".")[0]!),
      `${what} ${JSON.stringify(answer.body)}`,
    );
  }
  assert.equal((await all.test.api("alice", "GET", "/api/jobs?kind=restore")).body.items.length, 0);
  await all.agents.alpha.close();
  await eventually("alpha is offline", () => !all.test.server.agents.isOnline(all.alpha.hostId));
  assert.equal((await all.restore()).status, 503);
});

Deno.test("another host gets the credential of the repository with this one order, and it is stored nowhere", async () => {
  await using all = await world();
  const { body } = await all.restore({}, "alice", all.gamma);
  const order = await all.ordered(all.agents.gamma, body.job_id);
  assert.equal(order.repository_id, all.alpha.repositoryId);
  assert.equal(order.reader_access?.password, "a repository password");
  assert.equal(order.reader_access?.id, all.alpha.repositoryId);
  const { sqlite } = all.test.server.database;
  const dump = ["jobs", "restore_items", "audit"].flatMap((table) =>
    sqlite.prepare(`select * from ${table}`).all()
  );
  assert.ok(!JSON.stringify(dump).includes("a repository password"));
  // Its own repository needs none.
  const own = await all.restore({}, "alice", all.beta);
  assert.equal((await all.ordered(all.agents.beta, own.body.job_id)).reader_access, undefined);
});

Deno.test("an admin who is none any more when the order is made has it not made", async () => {
  await using all = await world();
  // beta checks the repository: what gamma is asked for waits on the server.
  const check = await all.test.api(
    "alice",
    "POST",
    `/api/repositories/${all.alpha.repositoryId}/jobs`,
    { kind: "check" },
  );
  assert.equal(check.status, 202, JSON.stringify(check.body));
  const hostOf =
    (await all.test.api("alice", "GET", `/api/jobs/${check.body.job_id}`)).body.host_id;
  const other = hostOf === all.beta.hostId ? all.alpha : all.beta;
  const { body } = await all.restore(
    { snapshot_id: hostOf === all.beta.hostId ? THEIRS : ID },
    "alice",
    other,
  );
  const state = async () => (await all.test.api("victor", "GET", `/api/jobs/${body.job_id}`)).body;
  assert.equal((await state()).waiting, true);
  all.test.server.database.sqlite.exec(
    "update users set role = 'operator' where username = 'alice'",
  );
  const holder = hostOf === all.beta.hostId ? all.agents.beta : all.agents.alpha;
  await holder.acknowledged(holder.finished(check.body.job_id));
  const ended = await eventually("it ends", async () => {
    const job = await state();
    return job.status === "failed" && job;
  });
  assert.match(ended.reason, /needs an admin/);
});

Deno.test("what was there before a restore in place is pinned, and an agent pins nothing that was not to be saved", async () => {
  await using all = await world();
  const undo = "77".repeat(32);
  const restored = {
    entries: 1,
    bytes: 1,
    written: 1,
    same: 0,
    kept: 0,
    failed: 0,
    attributes: 0,
    failures: [],
    target: null,
    opened_for: null,
    checked: true,
    verified: false,
    continued: false,
    undo_snapshot: undo,
  };
  const pinned = async () =>
    (await all.test.api("victor", "GET", "/api/snapshots")).body.items.filter((
      each: { pinned: boolean },
    ) => each.pinned);
  const end = async (more: Record<string, unknown>) => {
    const { body } = await all.restore(more);
    await all.ordered(all.agents.alpha, body.job_id);
    await all.agents.alpha.acknowledged(all.agents.alpha.finished(body.job_id, { restored }));
    return body.job_id;
  };
  await end({});
  await end({ target: { kind: "original", confirm_hostname: "alpha" }, undo: false });
  assert.deepEqual(await pinned(), []);
  const jobId = await end({ target: { kind: "original", confirm_hostname: "alpha" } });
  const [pin] = await pinned();
  assert.equal(pin.id, undo);
  assert.match(pin.pin.reason, new RegExp(jobId));
  assert.equal(pin.pin.by, "alice");
});

Deno.test("an operator who is none any more, or whose folder is approved no more, when the order is made has it not made", async () => {
  for (
    const since of [
      "update users set role = 'viewer' where username = 'olive'",
      "update hosts set approved_roots = '[\"/srv\"]' where name = 'alpha'",
    ]
  ) {
    await using all = await world();
    const check = await all.test.api(
      "alice",
      "POST",
      `/api/repositories/${all.alpha.repositoryId}/jobs`,
      {
        kind: "check",
        host_id: all.beta.hostId,
      },
    );
    assert.equal(check.status, 202, JSON.stringify(check.body));
    const { body } = await all.restore({}, "olive");
    const state = async () => (await all.test.api("alice", "GET", `/api/jobs/${body.job_id}`)).body;
    assert.equal((await state()).waiting, true);
    all.test.server.database.sqlite.exec(since);
    await all.agents.beta.acknowledged(all.agents.beta.finished(check.body.job_id));
    const ended = await eventually("it ends", async () => {
      const job = await state();
      return job.status === "failed" && job;
    });
    assert.match(ended.reason, /may not restore any more|must lie below|holds more than/);
  }
});

Deno.test("what is on a machine now is not saved in another one's repository", async () => {
  await using all = await world();
  const target = { kind: "original", confirm_hostname: "gamma" };
  const silent = await all.restore({ target }, "alice", all.gamma);
  assert.deepEqual([silent.status, silent.body.error.field], [422, "undo"]);
  assert.equal((await all.restore({ target, undo: true }, "alice", all.gamma)).status, 422);
  assert.equal((await all.restore({ target, undo: false }, "alice", all.gamma)).status, 202);
});
