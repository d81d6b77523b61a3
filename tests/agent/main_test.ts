// The program as its users meet it: exit codes, signals, enrolment, and what a crash leaves.
import assert from "node:assert/strict";
import { join } from "node:path";
import { CLOSE } from "../../shared/protocol.ts";
import { selfSigned } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { FakeServer, HOST_ID } from "../support/fake_server.ts";
import { missingProgram, testUnless } from "../support/left_out.ts";
import { access, jobId, order, spawnAgent, testFolder } from "../support/start_agent.ts";

const SHUT = "http://127.0.0.1:9";

async function exitOf(directory: string, environment: Record<string, string>, args?: string[]) {
  await using agent = spawnAgent(directory, environment, args);
  return await agent.end();
}

Deno.test("wrong use is told in a sentence with exit code 2", async () => {
  using folder = testFolder();
  const cases: [args: string[], environment: Record<string, string>, message: RegExp][] = [
    [["dance"], {}, /There is no command "dance"\. Try --help\./],
    [["run", "--quickly"], {}, /Unknown option '--quickly'/],
    [["run"], {}, /Set RM_SERVER/],
    [["run"], { RM_SERVER: "nonsense" }, /RM_SERVER: "nonsense" must be/],
  ];
  for (const [args, environment, message] of cases) {
    const { code, stderr } = await exitOf(folder.path, environment, args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("version and --help answer 0, status of a machine that has not joined 1", async () => {
  using folder = testFolder();
  assert.equal((await exitOf(folder.path, {}, ["version"])).code, 0);
  assert.equal((await exitOf(folder.path, {}, ["--help"])).code, 0);
  assert.equal((await exitOf(folder.path, {}, ["status"])).code, 1);
});

Deno.test("a corrupt file stops the start with exit code 1 and its name", async () => {
  using folder = testFolder();
  Deno.mkdirSync(join(folder.path, "config"));
  Deno.writeTextFileSync(join(folder.path, "config/agent.yaml"), "bearer: [");
  const yaml = await exitOf(folder.path, { RM_SERVER: SHUT });
  assert.equal(yaml.code, 1);
  assert.match(yaml.stderr, /agent\.yaml is not YAML.*The file was left as it is/);
});

Deno.test("a machine enrols with its token, works at once, and needs no token the next time", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path);
  // The first answer is lost: the server has burnt the token and dies.
  const enrol = (_body: unknown, count: number) =>
    count === 1 ? new Response("", { status: 502 }) : undefined;
  await using server = new FakeServer({ enrol });
  const environment = { RM_SERVER: server.url, RM_RESTIC: restic.path };
  {
    await using agent = spawnAgent(folder.path, { ...environment, RM_TOKEN: "the-token" });
    await server.hello();
    agent.child.kill("SIGTERM");
    assert.equal((await agent.child.status).code, 0);
    assert.doesNotMatch(agent.stderr(), /the-token|bearer-of-the-test/);
  }
  const [first, second] = server.enrolments;
  assert.equal(first?.token, "the-token");
  assert.equal(first?.restic_version, "0.18.0");
  assert.match(String(first?.enrolment_key), /^[0-9a-f]{64}$/);
  assert.deepEqual(second, first);
  const yaml = Deno.readTextFileSync(join(folder.path, "config/agent.yaml"));
  assert.match(yaml, new RegExp(`host_id: ${HOST_ID}`));
  {
    // An environment file that still holds it means nothing new by it.
    await using _agent = spawnAgent(folder.path, { ...environment, RM_TOKEN: "the-token" });
    await server.hello(2);
  }
  assert.equal(server.enrolments.length, 2);
});

Deno.test("a token that the server refuses ends the program with the server's sentence", async () => {
  using folder = testFolder();
  const error = { code: "forbidden", message: "This token is not valid any more." };
  await using server = new FakeServer({ enrol: () => Response.json({ error }, { status: 403 }) });
  const { code, stderr } = await exitOf(folder.path, { RM_SERVER: server.url, RM_TOKEN: "old" });
  assert.equal(code, 1);
  assert.match(stderr, /This token is not valid any more\./);
});

Deno.test("a redirect is not followed: it would hand the token on", async () => {
  using folder = testFolder();
  await using other = new FakeServer();
  await using server = new FakeServer({
    enrol: () =>
      new Response(null, { status: 307, headers: { location: `${other.url}/api/agents/enroll` } }),
  });
  const { code, stderr } = await exitOf(folder.path, { RM_SERVER: server.url, RM_TOKEN: "t" });
  assert.equal(code, 1);
  assert.match(stderr, /redirects to .* Set RM_SERVER/);
  assert.equal(other.enrolments.length, 0);
});

testUnless(
  await missingProgram("openssl"),
  "a certificate authority of one's own is used for enrolment and socket, and without it both are refused",
  async () => {
    using folder = testFolder();
    const tls = selfSigned(folder.path);
    await using server = new FakeServer({ tls });
    const environment = { RM_SERVER: server.url, RM_TOKEN: "t" };
    {
      await using agent = spawnAgent(folder.path, environment);
      await eventually(
        "it is refused",
        () => /cannot be reached \(.*certificate/.test(agent.stderr()),
      );
    }
    assert.equal(server.enrolments.length, 0);
    const yaml = `certificate_authority: ${join(folder.path, "cert.pem")}\n`;
    Deno.writeTextFileSync(join(folder.path, "config/agent.yaml"), yaml);
    await using _agent = spawnAgent(folder.path, environment);
    await server.hello();
    assert.equal(server.enrolments.length, 1);
  },
);

/** A folder in which enrolment has happened. */
function enrolled(directory: string, server: FakeServer): void {
  Deno.mkdirSync(join(directory, "config"), { recursive: true });
  const yaml = `server: ${server.url}\nhost_id: ${HOST_ID}\nbearer: b\n`;
  Deno.writeTextFileSync(join(directory, "config/agent.yaml"), yaml);
}

Deno.test("an agent that is too old says why and exits with 7", async () => {
  using folder = testFolder();
  await using server = new FakeServer({
    closeWith: { code: CLOSE.tooOld, reason: "too old, get 2.0" },
  });
  enrolled(folder.path, server);
  const { code, stderr } = await exitOf(folder.path, {});
  assert.equal(code, 7);
  assert.match(stderr, /refused this agent for good: too old, get 2\.0/);
});

for (const how of ["status 401", "a close code"]) {
  Deno.test(`a host that the server does not know (${how}) says so and goes on asking`, async () => {
    using folder = testFolder();
    const closeWith = { code: CLOSE.unknownHost, reason: "unknown" };
    await using server = new FakeServer(how === "status 401" ? { refuseWith: 401 } : { closeWith });
    enrolled(folder.path, server);
    await using agent = spawnAgent(folder.path, {});
    await eventually("it is said", () => /does not know this host any more/.test(agent.stderr()));
    await eventually("it waits long", () => /trying again in [456]\d\.\d s/.test(agent.stderr()));
    agent.child.kill("SIGINT");
    assert.equal((await agent.child.status).code, 0);
  });
}

Deno.test("a second agent in the same state directory says so and exits with 1", async () => {
  using folder = testFolder();
  await using server = new FakeServer();
  enrolled(folder.path, server);
  await using _first = spawnAgent(folder.path, {});
  await server.hello();
  const { code, stderr } = await exitOf(folder.path, {});
  assert.equal(code, 1);
  assert.match(stderr, /Another agent is running with the state directory/);
  assert.equal((await exitOf(folder.path, {}, ["status"])).code, 0);
});

const HANG = `trap 'echo interrupted; exit 130' INT; echo running; while :; do sleep 0.02; done`;
const HANGS_ONCE = {
  backup: `[ -e $(dirname $0)/again ] && { ${SUMMARY}; exit; }; touch $(dirname $0)/again; ${HANG}`,
  snapshots: LISTED,
  unlock: "exit 0",
};

Deno.test("SIGTERM interrupts restic, reports what ran and what waited, and exits 0", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: { backup: HANG } });
  await using server = new FakeServer({ config: { repository: access("/srv/r") } });
  enrolled(folder.path, server);
  const [running, waiting] = [jobId(), jobId()];
  await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
  await server.hello();
  server.run({ job_id: running, source_group: order(["/a"]) });
  server.run({ job_id: waiting, source_group: order(["/a"]) });
  await eventually("restic runs", () => server.texts(running).includes("running"));
  agent.child.kill("SIGTERM");
  assert.equal((await agent.child.status).code, 0);
  const end = await server.finished(running);
  assert.equal(end.status, "interrupted");
  assert.equal(end.reason, "The agent was stopped.");
  assert.ok(server.texts(running).includes("interrupted"));
  assert.match((await server.finished(waiting)).reason ?? "", /before this job began/);
});

Deno.test("after kill -9 the next agent answers for what was left, and unlocks before it writes", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: HANGS_ONCE });
  await using server = new FakeServer({ config: { repository: access("/srv/r") } });
  enrolled(folder.path, server);
  const [running, waiting, next] = [jobId(), jobId(), jobId()];
  {
    await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
    await server.hello();
    server.run({ job_id: running, source_group: order(["/a"]) });
    server.run({ job_id: waiting, source_group: order(["/a"]) });
    await eventually("restic runs", () => server.texts(running).includes("running"));
    await eventually(
      "both are taken on",
      () => Deno.readTextFileSync(join(folder.path, "state/jobs.json")).includes(waiting),
    );
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  await using _agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
  const end = await server.finished(running);
  assert.equal(end.status, "interrupted");
  assert.equal(end.reason, "The agent was stopped or crashed while this job ran.");
  // It would have gone on beside the next job until its next write.
  await eventually("the restic that was left is gone", () => !isAlive(restic.starts[0]!.pid));
  assert.match((await server.finished(waiting)).reason ?? "", /before this job began/);
  await server.hello(2);
  server.run({ job_id: running, source_group: order(["/a"]) });
  server.run({ job_id: next, source_group: order(["/a"]) });
  assert.equal((await server.finished(next)).status, "succeeded");
  const verbs = restic.starts.map(({ args }) => args.split(" ")[0]);
  assert.deepEqual(verbs, ["backup", "unlock", "list", "backup", "snapshots"]);
});

for (const line of ["", "#!/usr/bin/env sh\n"]) {
  Deno.test(`a hook ${line.trim()} that outlived a killed agent is ended, and its job told as interrupted`, async () => {
    using folder = testFolder();
    const restic = new FakeRestic(folder.path);
    await using server = new FakeServer({ config: { repository: access("/repository") } });
    const env = { RM_SERVER: server.url, RM_TOKEN: "t", RM_RESTIC: restic.path };
    const running = jobId();
    {
      await using agent = spawnAgent(folder.path, env);
      await server.hello();
      const hooks = { pre_hook: `${line}sleep 600 & echo child $!; wait`, timeout_seconds: 600 };
      server.run({ job_id: running, source_group: { ...order(["/a"]), hooks } });
      await eventually(
        "the hook runs",
        () => server.texts(running).some((text) => text.startsWith("hook: child")),
      );
      agent.child.kill("SIGKILL");
      await agent.child.status;
    }
    const child = Number(/hook: child (\d+)/.exec(server.texts(running).join("\n"))![1]);
    assert.ok(isAlive(child));
    await using _agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
    assert.equal((await server.finished(running)).status, "interrupted");
    await eventually("the hook's tree is gone", () => !isAlive(child));
    assert.equal(restic.starts.length, 0);
    const left = line ? [...Deno.readDirSync(join(folder.path, "state", "hooks"))] : [];
    assert.deepEqual(left, []);
  });
}

for (
  const [how, post_hook, ending] of [
    ["well", "true", ""],
    [
      "badly",
      "echo still frozen; exit 4",
      `: post_hook failed (exit 4), and last said "still frozen"`,
    ],
  ] as const
) {
  Deno.test(`after kill -9 in a backup its post hook is run at the next start, before anything else, and ends ${how}`, async () => {
    using folder = testFolder();
    const restic = new FakeRestic(folder.path, { verbs: HANGS_ONCE });
    await using server = new FakeServer({ config: { repository: access("/srv/r") } });
    const note = join(folder.path, "note");
    const hooks = {
      pre_hook: `echo pre >> ${note}`,
      post_hook:
        `echo post $RM_JOB_ID $RM_JOB_STATUS $RM_SOURCE_GROUP $RM_HOST $RM_JOB_WARNINGS $RM_BYTES_ADDED \
        "$RM_JOB_REASON" >> ${note}; ${post_hook}`,
      timeout_seconds: 60,
    };
    const source_group = { ...order(["/a"]), hooks };
    server.plan = {
      type: "plan.set",
      plan_version: 2,
      schedules: [],
      source_groups: [{ ...source_group, retry_max: 0, retry_backoff_seconds: 60 }],
    };
    enrolled(folder.path, server);
    const [broken, next] = [jobId(), jobId()];
    {
      await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
      await server.hello();
      server.run({ job_id: broken, source_group });
      await eventually("restic runs", () => server.texts(broken).includes("running"));
      agent.child.kill("SIGKILL");
      await agent.child.status;
    }
    await using _agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
    await server.hello(2);
    server.run({ job_id: next, source_group });
    const end = await server.finished(broken);
    assert.equal(end.status, "interrupted");
    assert.equal(
      end.reason,
      `The agent was stopped or crashed while this job ran. Its post_hook was run when the agent was back${ending}.`,
    );
    await server.finished(next);
    assert.deepEqual(Deno.readTextFileSync(note).trim().split("\n"), [
      "pre",
      `post ${broken} failed documents alpha 0 0 The agent was stopped or crashed while this job ran.`,
      "pre",
      `post ${next} succeeded documents alpha 0 10`,
    ]);
  });
}

Deno.test("a post hook that the machine went down in is not run again at the next start", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: { backup: SUMMARY, snapshots: LISTED } });
  await using server = new FakeServer({ config: { repository: access("/srv/r") } });
  const note = join(folder.path, "note");
  const hooks = { post_hook: `echo off >> ${note}; echo going; sleep 600`, timeout_seconds: 60 };
  const source_group = { ...order(["/a"]), hooks };
  server.plan = {
    type: "plan.set",
    plan_version: 2,
    schedules: [],
    source_groups: [{ ...source_group, retry_max: 0, retry_backoff_seconds: 60 }],
  };
  enrolled(folder.path, server);
  const job_id = jobId();
  {
    await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
    await server.hello();
    server.run({ job_id, source_group });
    await eventually("the post hook runs", () => server.texts(job_id).includes("hook: going"));
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  await using _agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
  const end = await server.finished(job_id);
  assert.equal(end.reason, "The agent was stopped or crashed while this job ran.");
  assert.equal(Deno.readTextFileSync(note), "off\n");
});

Deno.test("after a restart, another shell that has the number of a dead hook is left alone", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path);
  await using server = new FakeServer({ config: { repository: access("/repository") } });
  const running = jobId();
  const state = join(folder.path, "state");
  const spawn = (env = {}) => spawnAgent(folder.path, { RM_RESTIC: restic.path, ...env });
  {
    await using agent = spawn({ RM_SERVER: server.url, RM_TOKEN: "t" });
    await server.hello();
    const hooks = { pre_hook: "echo begun; sleep 600", timeout_seconds: 600 };
    server.run({ job_id: running, source_group: { ...order(["/a"]), hooks } });
    await eventually("the hook runs", () => server.texts(running).includes("hook: begun"));
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  const ledger = JSON.parse(await Deno.readTextFile(join(state, "jobs.json")));
  Deno.kill(-ledger.jobs[0].process.pid, "SIGKILL");
  // As cron starts everything.
  const other = new Deno.Command("/bin/sh", {
    args: ["-c", "sleep 600; :"],
    detached: true,
    stdin: "null",
  }).spawn();
  ledger.jobs[0].process.pid = other.pid;
  await Deno.writeTextFile(join(state, "jobs.json"), JSON.stringify(ledger));
  await using _agent = spawn();
  assert.equal((await server.finished(running)).status, "interrupted");
  const survived = isAlive(other.pid);
  if (survived) Deno.kill(-other.pid, "SIGKILL");
  await other.status;
  assert.ok(survived, "a shell that is not ours was killed");
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
