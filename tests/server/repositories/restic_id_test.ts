// The repository's own id, as agents report it: honest ones, late ones, and one that lies.
import assert from "node:assert/strict";
import { endTooLongWaits } from "../../../server/jobs/wait.ts";
import { dispatchAll } from "../../../server/jobs/dispatch.ts";
import { parseRepositoryUrl } from "../../../shared/repository_url.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, type JoinedHost, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const [X, Y, Z] = ["a1", "b2", "c3"].map((pair) => pair.repeat(32)) as [string, string, string];
const NAS = "rest:https://nas.example.org/backups/";

class Ready {
  constructor(
    readonly test: TestServer,
    readonly host: JoinedHost,
    readonly agent: FakeAgent,
    readonly url: string,
  ) {}

  opened(restic_id: string) {
    return { opened: { restic_id, address: parseRepositoryUrl(this.url).normalised } };
  }

  /** A backup that the host's own server ordered, which found this repository. */
  async backup(restic_id: string, more: Record<string, unknown> = {}): Promise<void> {
    const path = `/api/hosts/${this.host.hostId}/jobs`;
    const { job_id } = (await this.test.api("olive", "POST", path, { kind: "backup" })).body;
    await this.agent.next("command.run", (message) => message.job_id === job_id);
    this.agent.started(job_id);
    const end = { ...this.opened(restic_id), ...more };
    await this.agent.acknowledged(this.agent.finished(job_id, end));
  }

  async start(kind: string): Promise<string> {
    const path = `/api/repositories/${this.host.repositoryId}/jobs`;
    const answer = await this.test.api("alice", "POST", path, { kind, host_id: this.host.hostId });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer.body.job_id;
  }

  async repository() {
    const path = `/api/repositories/${this.host.repositoryId}`;
    return (await this.test.api("alice", "GET", path)).body;
  }

  async order(job_id: string) {
    return await this.agent.next("command.run", (message) => message.job_id === job_id);
  }
}

async function ready(
  test: TestServer,
  name: string,
  restic_id: string,
  repository: { id: string; url: string } | { url: string },
): Promise<Ready> {
  const host = await joinHost(test, name, "id" in repository ? { id: repository.id } : repository);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const made = new Ready(test, host, agent, repository.url);
  const init = await agent.next("command.run");
  agent.started(init.job_id);
  const end = { created: !("id" in repository), ...made.opened(restic_id) };
  await agent.acknowledged(agent.finished(init.job_id, end));
  return made;
}

const job = async (test: TestServer, id: string) =>
  (await test.api("alice", "GET", `/api/jobs/${id}`)).body;

Deno.test("after init the repository's own id is stored, and later orders name it", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  assert.deepEqual((await alpha.repository()).restic_ids, [
    { host_id: null, restic_id: X, changed: null },
  ]);
  const check = await alpha.start("check");
  assert.equal((await alpha.order(check)).restic_id, X);
  await alpha.agent.close();
});

Deno.test("another id than before stops forget, prune, check and init, lets backups go on, and asks an admin", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  await alpha.backup(Y);
  const { changed } = (await alpha.repository()).restic_ids[0];
  assert.deepEqual([changed.restic_id, changed.host_name], [Y, "alpha"]);
  const ended = await job(test, await alpha.start("check"));
  assert.equal(ended.reason_code, "repository_changed");
  assert.match(ended.reason, /alpha found b2b2b2b2 where a1a1a1a1 was/);
  const shown = (await test.api("victor", "GET", `/api/hosts/${alpha.host.hostId}`)).body;
  assert.equal(shown.state, "warn");
  assert.match(shown.problems.join(), /another repository than before/);
  await alpha.backup(Y);
  // A host that joins now waits for the answer too, and goes on by itself after it.
  const beta = await joinHost(test, "beta", { id: alpha.host.repositoryId });
  const second = await FakeAgent.connect(test.url, beta.bearer);
  await eventually(
    "its init is held",
    async () =>
      (await test.api("victor", "GET", `/api/hosts/${beta.hostId}`)).body.repository_state ===
        "failed",
  );
  const path = `/api/repositories/${alpha.host.repositoryId}/restic-id`;
  assert.equal((await test.api("olive", "POST", path, { restic_id: Y })).status, 403);
  assert.equal((await test.api("alice", "POST", path, { restic_id: Z })).status, 409);
  assert.equal((await test.api("alice", "POST", path, { restic_id: "y" })).status, 422);
  const answered = await test.api("alice", "POST", path, { restic_id: Y });
  assert.deepEqual(answered.body.restic_ids, [{ host_id: null, restic_id: Y, changed: null }]);
  assert.equal((await test.api("alice", "POST", path, { restic_id: Y })).status, 409);
  assert.equal((await second.next("command.run")).restic_id, Y);
  const actions = (await test.api("alice", "GET", "/api/audit")).body.items
    .map((item: { action: string }) => item.action);
  assert.ok(
    actions.includes("repository.id_changed") && actions.includes("repository.id_answered"),
  );
  await alpha.agent.close();
  await second.close();
});

Deno.test("a report of the rejected id that arrives late asks nothing; a new one asks again", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  await alpha.backup(Y);
  const path = `/api/repositories/${alpha.host.repositoryId}/restic-id`;
  await test.api("alice", "POST", path, { restic_id: Y });
  const changed = async () => (await alpha.repository()).restic_ids[0].changed?.restic_id ?? null;
  await alpha.backup(X, { at: Date.now() - 3_600_000 });
  assert.equal(await changed(), null);
  test.clock.passUntil(60_000);
  await alpha.backup(X, { at: Date.now() + 50_000 });
  assert.equal(await changed(), X);
  await test.api("alice", "POST", path, { restic_id: Y });
  await alpha.backup(Z, { at: Date.now() - 3_600_000 });
  assert.equal(await changed(), Z);
  await alpha.agent.close();
});

Deno.test("a question is taken back by the host that raised it, and by no other", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  const beta = await ready(test, "beta", X, { id: alpha.host.repositoryId, url: NAS });
  await alpha.backup(Y);
  await beta.backup(X);
  assert.ok((await alpha.repository()).restic_ids[0].changed);
  await alpha.backup(X);
  assert.equal((await alpha.repository()).restic_ids[0].changed, null);
  await alpha.agent.close();
  await beta.agent.close();
});

Deno.test("a reinitialised repository takes its new id without a question; another address starts anew", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  const reinit = `/api/hosts/${alpha.host.hostId}/repo/reinit`;
  const { job_id } = (await test.api("alice", "POST", reinit, { confirm_hostname: "alpha" })).body;
  assert.equal((await alpha.order(job_id)).restic_id, undefined);
  alpha.agent.started(job_id);
  const end = { created: true, ...alpha.opened(Y) };
  await alpha.agent.acknowledged(alpha.agent.finished(job_id, end));
  assert.deepEqual((await alpha.repository()).restic_ids, [
    { host_id: null, restic_id: Y, changed: null },
  ]);
  const url = "rest:https://other.example.org/backups/";
  const path = `/api/repositories/${alpha.host.repositoryId}`;
  const { name } = await alpha.repository();
  assert.equal((await test.api("alice", "PUT", path, { name, url })).status, 200);
  assert.deepEqual((await alpha.repository()).restic_ids, []);
  // What a job that began before says of the old address is not said of the new one.
  await alpha.backup(Y);
  assert.deepEqual((await alpha.repository()).restic_ids, []);
  await alpha.agent.close();
});

Deno.test("a path of each host is a place of each host: two ids are no change", async () => {
  await using test = await startServer();
  for (const url of ["/srv/backups", "rclone:Google Drive:My Backups"]) {
    const [a, b] = [`alpha-${url.length}`, `beta-${url.length}`];
    const alpha = await ready(test, a, X, { url });
    const beta = await ready(test, b, Y, { id: alpha.host.repositoryId, url });
    const ids = (await alpha.repository()).restic_ids;
    assert.deepEqual(
      ids.map((each: { restic_id: string; changed: null }) => [each.restic_id, each.changed])
        .sort(),
      [[X, null], [Y, null]],
    );
    await alpha.agent.close();
    await beta.agent.close();
  }
});

Deno.test("one id under two addresses is shown on both, and joins neither secrets nor rights", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  const beta = await ready(test, "beta", X, { url: "sftp:nas.example.org:/srv/backups" });
  const [one, two] = [await alpha.repository(), await beta.repository()];
  assert.deepEqual(one.same_as.map((each: { id: string }) => each.id), [two.id]);
  assert.deepEqual(two.same_as.map((each: { id: string }) => each.id), [one.id]);
  assert.deepEqual(one.hosts.map((host: { name: string }) => host.name), ["alpha"]);
  const config = beta.agent.received.findLast((message) => message.type === "config.update");
  assert.equal(config?.repository?.url, "sftp:nas.example.org:/srv/backups");
  const page = await fetch(`${test.url}/api/repositories/${one.id}`, {
    headers: { authorization: `Bearer ${test.tokens.olive}` },
  });
  assert.ok((await page.text()).includes(two.id));
  await alpha.agent.close();
  await beta.agent.close();
});

Deno.test("one id under two addresses shares the lease, which no time ends; a backup under the other address delays two hours at most", async () => {
  await using test = await startServer({ still: true });
  await endTooLongWaits(test.server);
  const pass = async (ms: number) => {
    test.clock.pass(ms);
    await endTooLongWaits(test.server);
    await dispatchAll(test.server);
  };
  const alpha = await ready(test, "alpha", X, { url: NAS });
  const mallory = await ready(test, "mallory", X, { url: "sftp:nas.example.org:/srv/backups" });
  // It runs for ever, and its host stays online.
  const held = await mallory.start("check");
  await mallory.order(held);
  await mallory.agent.acknowledged(mallory.agent.started(held));
  const waiting = await alpha.start("check");
  assert.equal((await job(test, waiting)).waiting, true);
  await pass(2 * 3_600_000 - 60_000);
  assert.equal((await job(test, waiting)).waiting, true);
  await pass(120_000);
  assert.equal((await job(test, waiting)).waiting, true);
  await pass(2 * 3_600_000);
  assert.match(
    (await job(test, waiting)).reason,
    /^Waited 4 hours for mallory: its check is running/,
  );
  // An admin ends it from either side.
  const path = `/api/repositories/${alpha.host.repositoryId}/lease/release`;
  assert.equal(
    (await test.api("alice", "POST", path, { confirm_hostname: "mallory" })).status,
    204,
  );
  const next = await alpha.start("check");
  await alpha.order(next);
  await alpha.agent.acknowledged(alpha.agent.finished(next, alpha.opened(X)));
  await mallory.agent.acknowledged(mallory.agent.finished(held));
  // A backup that never ends, by an agent's word, does not hold up maintenance under the other address for long.
  const backups = `/api/hosts/${mallory.host.hostId}/jobs`;
  const endless = (await test.api("olive", "POST", backups, { kind: "backup" })).body.job_id;
  await mallory.agent.acknowledged(mallory.agent.started(endless));
  const prune = await alpha.start("check");
  assert.equal((await job(test, prune)).waiting, true);
  await pass(2 * 3_600_000 + 1);
  await alpha.order(prune);
  await alpha.agent.close();
  await mallory.agent.close();
});

Deno.test("an agent says nothing of a repository that it does not use, nor of another address", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: NAS });
  const mallory = await ready(test, "mallory", Z, { url: "rest:https://evil.example.org/" });
  const job_id = crypto.randomUUID();
  const origin = {
    kind: "backup",
    repository_id: alpha.host.repositoryId,
    schedule_id: crypto.randomUUID(),
    source_group_id: crypto.randomUUID(),
    source_group_name: "default",
    scheduled_at: Date.now(),
    catch_up: false,
    attempt: 1,
  };
  await mallory.agent.acknowledged(
    mallory.agent.finished(job_id, { origin, ...alpha.opened(Y) }),
  );
  assert.deepEqual((await alpha.repository()).restic_ids, [
    { host_id: null, restic_id: X, changed: null },
  ]);
  await mallory.backup(Z, { opened: { restic_id: Y, address: "rest:https://elsewhere/" } });
  assert.equal((await mallory.repository()).restic_ids[0].changed, null);
  await alpha.agent.close();
  await mallory.agent.close();
});

Deno.test("a path of the host: maintenance of one host waits for no other, an init for every init", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", X, { url: "/srv/backups" });
  const beta = await ready(test, "beta", Y, { url: "/srv/backups/" });
  const first = await alpha.start("check");
  await alpha.order(first);
  await beta.order(await beta.start("check"));
  // Two that are new at one path, perhaps of a mount that they share.
  const gamma = await joinHost(test, "gamma", { url: "/srv/fresh" });
  const delta = await joinHost(test, "delta", { url: "local:/srv/./fresh" });
  const [third, fourth] = [
    await FakeAgent.connect(test.url, gamma.bearer),
    await FakeAgent.connect(test.url, delta.bearer),
  ];
  const init = await third.next("command.run");
  const inits = (await test.api("alice", "GET", `/api/jobs?kind=init&host=${delta.hostId}`)).body;
  assert.equal(inits.items[0].waiting, true);
  await third.acknowledged(third.finished(init.job_id, { created: true }));
  await fourth.next("command.run");
  for (const agent of [alpha.agent, beta.agent, third, fourth]) await agent.close();
});

Deno.test("addresses that an earlier version stored are normalised anew at the start, with their leases", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-server-" });
  try {
    {
      const test = await startServer({ dataDir });
      const alpha = await joinHost(test, "alpha", { url: "sftp:nas:srv" });
      const agent = await FakeAgent.connect(test.url, alpha.bearer);
      const { job_id } = await agent.next("command.run");
      await agent.acknowledged(agent.started(job_id));
      const old = "sftp://nas//srv-as-it-was";
      await test.server.db.updateTable("repositories").set({ url_normalised: old }).execute();
      await test.server.db.updateTable("leases").set({ repository_url: old }).execute();
      await agent.close();
      await test.stop();
    }
    await using test = await startServer({ dataDir, people: false });
    const { url_normalised } = await test.server.db.selectFrom("repositories")
      .select("url_normalised").executeTakeFirstOrThrow();
    assert.equal(url_normalised, "sftp://nas/srv");
    const lease = await test.server.db.selectFrom("leases").selectAll().executeTakeFirstOrThrow();
    assert.equal(lease.repository_url, "sftp://nas/srv");
  } finally {
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});
