// A machine that is a host already, and a person who says something newer.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { FakeServer, HOST_ID } from "../support/fake_server.ts";
import { access, jobId, order, spawnAgent, testFolder } from "../support/start_agent.ts";

const OTHER = "99999999-9999-4999-8999-999999999999";
const REFUSED = {
  error: { code: "unauthorized", message: "The enrolment token is not valid." },
};

/** The machine is host HOST_ID of the server. */
function enrolled(folder: string, server: FakeServer, more = ""): void {
  Deno.mkdirSync(join(folder, "config"), { recursive: true });
  Deno.writeTextFileSync(
    join(folder, "config/agent.yaml"),
    `server: ${server.url}\nhost_id: ${HOST_ID}\nbearer: bearer-of-before\n${more}`,
  );
}

const yaml = (folder: string) => Deno.readTextFileSync(join(folder, "config/agent.yaml"));
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
const aside = (folder: string) =>
  names(join(folder, "config")).filter((name) => name.startsWith("agent.yaml.before-"));

function joins(hostId: string) {
  return () => Response.json({ host_id: hostId, bearer: `bearer-of-${hostId}` });
}

Deno.test("a new token wins over what the machine was: it is told, agent.yaml is kept beside, and given again it enrols no more", async () => {
  using folder = testFolder();
  await using server = new FakeServer({ enrol: joins(OTHER) });
  enrolled(folder.path, server);
  const before = yaml(folder.path);
  for (const start of [1, 2, 3]) {
    await using agent = spawnAgent(folder.path, { RM_TOKEN: "a-new-token" });
    await server.hello(start);
    if (start === 1) {
      assert.match(
        agent.stderr(),
        new RegExp(`was host ${HOST_ID} of .*; now it is host ${OTHER} of `),
      );
    }
    assert.doesNotMatch(agent.stderr(), /a-new-token|bearer-of/);
  }
  assert.equal(server.enrolments.length, 1);
  assert.deepEqual(new Set(server.authorizations), new Set([`Bearer bearer-of-${OTHER}`]));
  const [copy, ...more] = aside(folder.path);
  assert.deepEqual(more, []);
  const path = join(folder.path, "config", copy!);
  assert.equal(Deno.readTextFileSync(path), before);
  assert.equal(Deno.statSync(path).mode! & 0o077, 0);
  assert.ok(!yaml(folder.path).includes("a-new-token"));
});

Deno.test("a token that the server refuses leaves the host what it was, is said, and is asked about once", async () => {
  using folder = testFolder();
  await using server = new FakeServer({ enrol: () => Response.json(REFUSED, { status: 401 }) });
  enrolled(folder.path, server);
  for (const start of [1, 2]) {
    await using agent = spawnAgent(folder.path, { RM_TOKEN: "used-up" });
    await server.hello(start);
    assert.match(agent.stderr(), new RegExp(`refused.*This machine stays host ${HOST_ID} of `));
  }
  assert.equal(server.enrolments.length, 1);
  assert.deepEqual(aside(folder.path), []);
  assert.deepEqual(new Set(server.authorizations), new Set(["Bearer bearer-of-before"]));
  // Another server may take the same token.
  await using second = new FakeServer({ enrol: joins(OTHER) });
  await using _agent = spawnAgent(folder.path, { RM_TOKEN: "used-up", RM_SERVER: second.url });
  await second.hello();
  assert.equal(second.enrolments.length, 1);
});

Deno.test("a token for another server that refuses it: the machine goes on at the server where it is", async () => {
  using folder = testFolder();
  await using home = new FakeServer();
  await using other = new FakeServer({ enrol: () => Response.json(REFUSED, { status: 401 }) });
  enrolled(folder.path, home);
  for (const start of [1, 2]) {
    await using _agent = spawnAgent(folder.path, { RM_TOKEN: "t", RM_SERVER: other.url });
    await home.hello(start);
  }
  assert.deepEqual(other.authorizations, []);
  assert.equal(other.enrolments.length, 1);
});

Deno.test("a server that does not answer keeps no backup waiting: the machine works as what it was", async () => {
  using folder = testFolder();
  await using home = new FakeServer();
  enrolled(folder.path, home);
  const env = { RM_TOKEN: "t", RM_SERVER: "http://127.0.0.1:9" };
  await using agent = spawnAgent(folder.path, env);
  await eventually("it is accepted", () => home.of("hello")[0], 60_000);
  assert.match(agent.stderr(), /did not answer within 30 s.*stays host .*next start tries/);
  assert.doesNotMatch(yaml(folder.path), /token_/);
});

Deno.test("an answer that got lost is asked for again by the same key, at the next start too", async () => {
  using folder = testFolder();
  let isLost = true;
  await using server = new FakeServer({
    enrol: () => isLost ? new Response("", { status: 502 }) : joins(OTHER)(),
  });
  enrolled(folder.path, server);
  {
    await using agent = spawnAgent(folder.path, { RM_TOKEN: "t" });
    await eventually("it has asked", () => server.enrolments.length > 0);
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  // In the middle of it the machine is still what it was.
  assert.match(yaml(folder.path), /bearer-of-before/);
  isLost = false;
  await using _agent = spawnAgent(folder.path, { RM_TOKEN: "t" });
  await server.hello();
  assert.equal(new Set(server.enrolments.map((each) => each.enrolment_key)).size, 1);
});

Deno.test("another host's journal, jobs and plan are not handed in: they are put aside, private", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: { backup: "echo running; sleep 600" } });
  const env = { RM_RESTIC: restic.path };
  const job = jobId();
  const state = join(folder.path, "state");
  {
    await using server = new FakeServer({ config: { repository: access("/srv/r") } });
    server.acknowledges = false;
    enrolled(folder.path, server);
    await using agent = spawnAgent(folder.path, env);
    await server.hello();
    server.run({ job_id: job, source_group: order(["/a"]) });
    await eventually("restic runs", () => server.texts(job).includes("running"));
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  const { pid } = restic.starts[0]!;
  // As an earlier version left it, which did not say whose it is.
  Deno.removeSync(join(state, "host_id"));
  await using other = new FakeServer({ enrol: joins(OTHER) });
  await using agent = spawnAgent(folder.path, { ...env, RM_TOKEN: "t", RM_SERVER: other.url });
  const hello = await other.hello();
  assert.deepEqual([hello.plan_version, hello.jobs], [0, []]);
  assert.match(agent.stderr(), new RegExp(`put aside in ${state}/before-`));
  const [folderAside] = names(state).filter((name) => name.startsWith("before-"));
  const kept = join(state, folderAside!);
  assert.equal(Deno.statSync(kept).mode! & 0o077, 0);
  assert.deepEqual(names(kept).sort(), ["jobs.json", "journal", "plan.key", "plan.sealed"]);
  await eventually("what it ran is over", () => !isAlive(pid));
  // Nothing of it comes later either.
  other.run({ job_id: jobId(), source_group: order(["/a"]) });
  await eventually("it answers", () => other.of("job.finished")[0]);
  assert.ok(!JSON.stringify(other.messages).includes(job));
});

Deno.test("the same host again, by a token of its own, keeps what it has to report", async () => {
  using folder = testFolder();
  const job = jobId();
  {
    await using server = new FakeServer();
    server.acknowledges = false;
    enrolled(folder.path, server);
    await using agent = spawnAgent(folder.path, {});
    await server.hello();
    server.run({ job_id: job, source_group: order(["/a"]) });
    await server.finished(job);
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  await using server = new FakeServer({ enrol: joins(HOST_ID) });
  await using _agent = spawnAgent(folder.path, { RM_TOKEN: "t", RM_SERVER: server.url });
  await server.finished(job);
  assert.deepEqual(names(join(folder.path, "state")).filter((name) => /^before/.test(name)), []);
});

Deno.test("whatever makes the machine another host, agent.yaml from elsewhere too, keeps the states apart", async () => {
  using folder = testFolder();
  await using server = new FakeServer();
  enrolled(folder.path, server);
  {
    await using agent = spawnAgent(folder.path, {});
    await server.hello();
    agent.child.kill("SIGTERM");
    await agent.child.status;
  }
  Deno.writeTextFileSync(
    join(folder.path, "config/agent.yaml"),
    yaml(folder.path).replace(HOST_ID, OTHER),
  );
  await using agent = spawnAgent(folder.path, {});
  await server.hello(2);
  assert.match(agent.stderr(), new RegExp(`was host ${HOST_ID} and is host ${OTHER} now`));
});

Deno.test("another server without a token: it is said that the machine goes there as what it is", async () => {
  using folder = testFolder();
  await using home = new FakeServer();
  await using moved = new FakeServer();
  enrolled(folder.path, home);
  await using agent = spawnAgent(folder.path, { RM_SERVER: moved.url });
  await moved.hello();
  assert.deepEqual(moved.authorizations, ["Bearer bearer-of-before"]);
  assert.match(agent.stderr(), /connecting to .* as host .*to join another server, give RM_TOKEN/);
  assert.deepEqual(home.authorizations, []);
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
