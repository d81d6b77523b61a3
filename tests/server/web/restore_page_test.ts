// A restore is put together by forms, as a browser without scripts sends them.
import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { signIn } from "../../support/browser_session.ts";
import { type Person, startServer } from "../../support/start_server.ts";

const ID = "1a2b3c4d".repeat(8);

async function world() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const alpha = await joinHost(test, "alpha", {}, ["/home"]);
  const gamma = await joinHost(test, "gamma");
  const agent = await FakeAgent.connect(test.url, alpha.bearer);
  stack.defer(() => agent.close());
  const { job_id } = await agent.next("command.run", ({ kind }) => kind === "init");
  await agent.acknowledged(agent.finished(job_id, { created: true }));
  await agent.acknowledged(agent.snapshots(alpha.repositoryId, [ID]));
  const person = async (name: Person) => {
    const { cookie, csrf } = await signIn(test, name);
    const send = async (method: string, path: string, fields: [string, string][] = []) => {
      const body = new URLSearchParams([["_csrf", csrf], ...fields]);
      const response = await fetch(test.url + path, {
        method,
        headers: { cookie, accept: "text/html", origin: test.url },
        redirect: "manual",
        ...(method === "POST" ? { body } : {}),
      });
      return {
        status: response.status,
        to: response.headers.get("location") ?? "",
        text: await response.text(),
      };
    };
    return {
      get: (path: string) => send("GET", path),
      post: (path: string, fields: [string, string][]) => send("POST", path, fields),
    };
  };
  return Object.assign(stack.move(), { test, alpha, gamma, agent, person });
}

const FOLDER: [string, string][] = [["kind", "folder"], ["keep_paths", "yes"], ["target.path", ""]];

Deno.test("ticked files become a restore, which is looked at, changed, tried and started; its job offers it again", async () => {
  await using all = await world();
  const alice = await all.person("alice");
  const begun = await alice.post(`/snapshots/${ID.slice(0, 8)}/restore`, [
    ["item", "/home/anna"],
    ["item", "bytes:/home/caf%E9"],
    ["item", "/home/<b>"],
  ]);
  assert.equal(begun.status, 303, begun.text);
  assert.match(begun.to, /^\/restores\/[0-9a-f-]{36}$/);
  const first = await alice.get(begun.to);
  assert.match(first.text, /\/home\/anna/);
  assert.match(first.text, /\/home\/caf�/);
  assert.ok(first.text.includes("/home/&lt;b&gt;") && !first.text.includes("<b>"));
  assert.match(
    first.text,
    /It comes to lie at[^]*\/srv\/restore\/1a2b3c4d-\d{8}-\d{4}\/home\/anna/,
  );
  // More of the same snapshot comes into the same restore.
  const draft = begun.to.split("/").at(-1)!;
  const more = await alice.post(`/snapshots/${ID}/restore`, [["draft", draft], [
    "item",
    "/home/berta",
  ]]);
  assert.equal(more.to, begun.to);
  const host: [string, string] = ["host_id", all.alpha.hostId];
  const left = await alice.post(begun.to, [...FOLDER, host, ["remove", "/home/<b>"]]);
  assert.equal(left.to, begun.to);
  await alice.post(begun.to, [
    ["kind", "folder"],
    ["keep_paths", "no"],
    ["target.path", "/data/here"],
    host,
    ["act", "update"],
  ]);
  const changed = await alice.get(begun.to);
  assert.match(changed.text, /\/data\/here\/anna/);
  assert.ok(!changed.text.includes("/home/&lt;b&gt;"));
  const wrong = await alice.post(begun.to, [
    ["kind", "folder"],
    ["target.path", "not absolute"],
    host,
    [
      "act",
      "start",
    ],
  ]);
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /value="not absolute"/);
  assert.equal((await all.test.api("alice", "GET", "/api/jobs?kind=restore")).body.items.length, 0);

  const tried = await alice.post(begun.to, [...FOLDER, host, ["act", "try"]]);
  const dry = await all.agent.next("command.run", ({ job_id }) => tried.to.endsWith(job_id));
  assert.equal(dry.restore?.dry_run, true);
  assert.equal((await alice.get(begun.to)).status, 200);
  const started = await alice.post(begun.to, [...FOLDER, host, ["verify", "on"], ["act", "start"]]);
  const real = await all.agent.next("command.run", ({ job_id }) => started.to.endsWith(job_id));
  assert.deepEqual([real.restore?.dry_run, real.restore?.verify, real.restore?.items], [
    false,
    true,
    ["/home/anna", "bytes:/home/caf%E9", "/home/berta"],
  ]);
  assert.equal((await alice.get(begun.to)).status, 404);
  await all.agent.acknowledged(all.agent.finished(real.job_id, {
    status: "failed",
    reason: "Not whole.",
    reason_code: "not_whole",
  }));
  assert.match((await alice.get(started.to)).text, /restore-again/);
  const again = await alice.post(`${started.to}/restore-again`, []);
  assert.match((await alice.get(again.to)).text, /\/home\/berta/);
  const discarded = await alice.post(`${again.to}/delete`, []);
  assert.match(discarded.to, /^\/snapshots\//);
  assert.equal((await alice.get(again.to)).status, 404);
});

Deno.test("in place the name of the machine is typed, and an operator is not even asked", async () => {
  await using all = await world();
  const [alice, olive] = [await all.person("alice"), await all.person("olive")];
  const begin = async (who: typeof alice) =>
    (await who.post(`/snapshots/${ID}/restore`, [["item", "/home/anna"]])).to;
  const original: [string, string][] = [
    ["kind", "original"],
    ["host_id", all.alpha.hostId],
    ["overwrite", "if-newer"],
    ["act", "start"],
  ];
  const [mine, hers] = [await begin(alice), await begin(olive)];
  const unsaid = await alice.post(mine, original);
  assert.equal(unsaid.status, 422, unsaid.text);
  assert.match(unsaid.text, /Must be alpha/);
  const done = await alice.post(mine, [...original, ["target.confirm_hostname", "alpha"]]);
  const order = await all.agent.next("command.run", ({ job_id }) => done.to.endsWith(job_id));
  // The box for the snapshot of what is there now was not ticked.
  assert.deepEqual([order.restore?.target, order.restore?.overwrite, order.restore?.undo], [
    { kind: "original" },
    "if-newer",
    false,
  ]);
  assert.ok(!(await olive.get(hers)).text.includes('value="original"'));
  assert.equal(
    (await olive.post(hers, [...original, ["target.confirm_hostname", "alpha"]])).status,
    422,
  );
});

Deno.test("a restore that is put together is its maker's alone, for a day", async () => {
  await using all = await world();
  const [alice, olive, victor] = [
    await all.person("alice"),
    await all.person("olive"),
    await all.person("victor"),
  ];
  const { to } = await alice.post(`/snapshots/${ID}/restore`, [["item", "/home"]]);
  assert.equal((await olive.get(to)).status, 404);
  assert.equal((await olive.post(to, [...FOLDER, ["act", "start"]])).status, 404);
  assert.equal((await victor.get(to)).status, 403);
  assert.equal((await victor.post(`/snapshots/${ID}/restore`, [["item", "/home"]])).status, 403);
  assert.equal((await alice.post(`/snapshots/${ID}/restore`, [])).status, 422);
  assert.equal((await alice.post(`/snapshots/${ID}/restore`, [["item", "no path"]])).status, 422);
  for (let n = 0; n < 60; n++) {
    await alice.post(`/snapshots/${ID}/restore`, [["item", `/home/${n}`]]);
  }
  const { n } = all.test.server.database.sqlite.prepare("select count(*) as n from restore_drafts")
    .get() as { n: number };
  assert.equal(n, 50);
  const last = await alice.post(`/snapshots/${ID}/restore`, [["item", "/home"]]);
  all.test.clock.pass(86_400_000 + 1000);
  const later = await all.person("alice");
  assert.equal((await later.get(last.to)).status, 404);
});

Deno.test("a job's restore is offered again to whoever could have started it", async () => {
  await using all = await world();
  const [alice, olive] = [await all.person("alice"), await all.person("olive")];
  const begun = await alice.post(`/snapshots/${ID}/restore`, [["item", "/etc/secret plans"]]);
  const started = await alice.post(begun.to, [...FOLDER, ["host_id", all.alpha.hostId], [
    "act",
    "start",
  ]]);
  assert.match(started.to, /^\/jobs\//);
  const hers = await olive.post(`${started.to}/restore-again`, []);
  assert.equal(hers.status, 403);
  assert.ok(!hers.text.includes("secret plans") || hers.text.includes("holds more than"));
  assert.equal((await alice.post(`${started.to}/restore-again`, [])).status, 303);
  const undecided = await alice.post(`/snapshots/${ID}/restore`, [["item", "/etc"]]);
  assert.equal((await alice.post(undecided.to, FOLDER)).status, 400);
});
