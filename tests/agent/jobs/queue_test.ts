import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../../support/fake_restic.ts";
import { FakeServer, type FakeServerOptions } from "../../support/fake_server.ts";
import {
  access,
  jobId,
  order,
  startAgent,
  type TestAgentOptions,
  testFolder,
} from "../../support/start_agent.ts";

const GROUP = order(["/a"]);

interface Setup {
  verbs?: Record<string, string>;
  version?: string;
  server?: FakeServerOptions;
  agent?: Partial<TestAgentOptions>;
}

/** A fake server, a fake restic and a real agent between them. */
async function setUp({ verbs, version, server: serverOptions, agent: agentOptions }: Setup = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(testFolder());
  const restic = new FakeRestic(folder.path, { verbs, version });
  const config = { repository: access("/srv/repository"), ...serverOptions?.config };
  const server = stack.use(new FakeServer({ ...serverOptions, config }));
  const directory = folder.path;
  const started = await startAgent(server, { directory, restic: restic.path, ...agentOptions });
  const { agent, logged } = stack.use(started);
  return Object.assign(stack.move(), { folder: folder.path, restic, server, agent, logged });
}

/** Shell code that hangs until an interrupt, or until the file `go` lies beside it. */
const hang = (folder = "$(dirname $0)") =>
  `trap 'exit 130' INT; while [ ! -e ${folder}/go ]; do sleep 0.02; done`;

Deno.test("a job tells started, lines and finished in this order, its lines numbered from 1 without gap", async () => {
  await using all = await setUp({
    verbs: { backup: `echo one; echo two >&2; ${SUMMARY}`, snapshots: LISTED },
  });
  const id = jobId();
  all.server.run({ job_id: id, source_group: GROUP });
  const end = await all.server.finished(id);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(end.reason, null);
  const story = all.server.story(id).join(" ");
  assert.match(
    story,
    /^job\.started( log\.stream)+ snapshots\.report( log\.stream)* job\.finished$/,
  );
  const numbers = [...all.server.lines(id).keys()].sort((a, b) => a - b);
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  const lines = [...all.server.lines(id).values()];
  assert.ok(lines.some(({ stream, text }) => stream === "stderr" && text === "two"));
  assert.ok(lines.some(({ stream, text }) => stream === "stdout" && text === "one"));
  assert.ok(all.server.of("snapshots.report").some(({ seq }) => seq < end.seq));
});

Deno.test("an order that is repeated is run once, also after it has ended", async () => {
  await using all = await setUp({ verbs: { unlock: "exit 0" } });
  const id = jobId();
  for (let i = 0; i < 3; i++) all.server.run({ job_id: id, kind: "unlock" });
  await all.server.finished(id);
  for (let i = 0; i < 3; i++) all.server.run({ job_id: id, kind: "unlock" });
  const last = jobId();
  all.server.run({ job_id: last, kind: "unlock" });
  await all.server.finished(last);
  assert.equal(all.restic.starts.filter(({ args }) => args === "unlock").length, 2);
  assert.equal(all.server.of("job.finished").length, 2);
});

Deno.test("jobs that write run one after another, reading ones beside them, two at most", async () => {
  await using all = await setUp({ verbs: { unlock: hang(), stats: hang() } });
  const ids = [jobId(), jobId(), jobId(), jobId(), jobId()];
  const kinds = ["unlock", "unlock", "stats", "stats", "stats"] as const;
  ids.forEach((job_id, index) => all.server.run({ job_id, kind: kinds[index] }));
  await eventually("three run", () => all.server.of("job.started").length === 3);
  await eventually("all are known", () => all.agent.queue.ids.length === 5);
  const started = all.server.of("job.started").map(({ job_id }) => job_id);
  assert.deepEqual(new Set(started), new Set([ids[0], ids[2], ids[3]]));
  Deno.writeTextFileSync(join(all.folder, "go"), "");
  for (const id of ids) await all.server.finished(id);
});

Deno.test("a queued job that is cancelled never starts", async () => {
  await using all = await setUp({ verbs: { unlock: hang() } });
  const [first, second] = [jobId(), jobId()];
  all.server.run({ job_id: first, kind: "unlock" });
  all.server.run({ job_id: second, kind: "unlock" });
  all.server.send({ type: "command.cancel", job_id: second });
  const end = await all.server.finished(second);
  assert.equal(end.status, "cancelled");
  assert.deepEqual(all.server.story(second), ["job.finished"]);
  all.server.send({ type: "command.cancel", job_id: first });
  assert.equal((await all.server.finished(first)).reason, "Cancelled.");
  assert.ok(all.restic.starts.filter(({ args }) => args === "unlock").length <= 1);
});

Deno.test("a restic that ignores the interrupt is killed with all its children, and its lock removed before the next job", async () => {
  await using all = await setUp({
    verbs: {
      backup: `trap '' INT; sleep 1000 & echo $! > $(dirname $0)/child; wait; wait; sleep 1000`,
      unlock: "exit 0",
    },
    agent: { timeouts: { graceMs: 200 } },
  });
  const [first, second] = [jobId(), jobId()];
  all.server.run({ job_id: first, source_group: GROUP });
  const child = await eventually(
    "the child runs",
    () => Number(Deno.readTextFileSync(join(all.folder, "child"))) || undefined,
  );
  all.server.send({ type: "command.cancel", job_id: first });
  assert.equal((await all.server.finished(first)).status, "cancelled");
  await eventually("the child is gone", () => !isAlive(child));

  all.server.run({ job_id: second, kind: "init" });
  await all.server.finished(second);
  const verbs = all.restic.starts.map(({ args }) => args.split(" ")[0]);
  assert.deepEqual(verbs, ["backup", "unlock", "list", "snapshots", "cat"]);
  assert.match(all.server.texts(second)[0] ?? "", /may have left a lock/);
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

// Each unlock takes a line from the file "tries"; the lock is there until none is left.
const STUBBORN = {
  backup: `kill -9 $$`,
  unlock: `sed -i 1d $(dirname $0)/tries`,
  list: `[ -s $(dirname $0)/tries ] && echo ${"ab".repeat(32)}; exit 0`,
  cat:
    `echo '{"time":"2026-11-01T10:00:00Z","exclusive":false,"hostname":"${Deno.hostname()}","pid":7}'`,
};

for (const [tries, isGone] of [[2, true], [9, false]] as const) {
  Deno.test(
    `a lock of a killed restic that outlives ${tries - 1} unlocks is ${
      isGone ? "removed by the next" : "told, and tried again before the next job"
    }`,
    async () => {
      await using all = await setUp({ verbs: STUBBORN });
      Deno.writeTextFileSync(join(all.folder, "tries"), "x\n".repeat(tries));
      const [first, second, third] = [jobId(), jobId(), jobId()];
      all.server.run({ job_id: first, source_group: GROUP });
      await all.server.finished(first);
      for (const job_id of [second, third]) {
        all.server.run({ job_id, kind: "init" });
        await all.server.finished(job_id);
      }
      const unlocks = all.restic.starts.filter(({ args }) => args === "unlock").length;
      assert.equal(unlocks, isGone ? 2 : 6);
      const told = [second, third].map((id) =>
        all.server.texts(id).some((text) => text.startsWith("A lock of this host is still there"))
      );
      assert.deepEqual(told, [!isGone, !isGone]);
      assert.equal(all.agent.ledger.mayHoldLock(all.agent.plan.config!.repository!.id), !isGone);
    },
  );
}

const OUTCOMES: [
  name: string,
  verbs: Record<string, string>,
  status: string,
  code: string | null,
][] = [
  ["a summary and exit 0", { backup: SUMMARY, snapshots: LISTED }, "succeeded", null],
  ["exit 0 without a summary", { backup: "exit 0" }, "failed", "no_summary"],
  [
    "exit 3 with a summary",
    { backup: `${SUMMARY}; exit 3`, snapshots: LISTED },
    "succeeded",
    "warnings",
  ],
  ["exit 3 without a summary", { backup: "exit 3" }, "failed", "no_summary"],
  [
    "a summary and exit 1",
    { backup: `${SUMMARY}; exit 1`, snapshots: LISTED },
    "failed",
    "restic_failed",
  ],
  [
    "a summary and an unknown exit code",
    { backup: `${SUMMARY}; exit 77` },
    "failed",
    "restic_failed",
  ],
  ["a snapshot that is not in the list", { backup: SUMMARY }, "failed", "not_listed"],
  [
    "a list that cannot be read",
    { backup: SUMMARY, snapshots: "echo nonsense" },
    "failed",
    "not_verified",
  ],
  ["a list that is refused", { backup: SUMMARY, snapshots: "exit 12" }, "failed", "not_verified"],
  [
    "a missing source and exit 0",
    { backup: `echo '/b does not exist, skipping' >&2; ${SUMMARY}`, snapshots: LISTED },
    "succeeded",
    "warnings",
  ],
];

for (const [name, verbs, status, code] of OUTCOMES) {
  Deno.test(`a backup with ${name} is ${status}${code ? ` (${code})` : ""}`, async () => {
    await using all = await setUp({ verbs });
    const id = jobId();
    all.server.run({ job_id: id, source_group: GROUP });
    const end = await all.server.finished(id);
    assert.equal(end.status, status, end.reason ?? "");
    assert.equal(end.reason_code, code);
    assert.equal(end.warnings > 0, code === "warnings");
    assert.equal(end.reason === null, code === null);
  });
}

Deno.test("the arguments keep to restic's order, options with = and paths after --", async () => {
  await using all = await setUp({
    verbs: { backup: SUMMARY, snapshots: LISTED },
    server: { config: { bandwidth_up_kib_per_s: 500, bandwidth_down_kib_per_s: 70 } },
  });
  const id = jobId();
  const source_group = order(["/a", "/b c"], ["*.tmp", "-x"]);
  all.server.run({ job_id: id, source_group, bandwidth_down_kib_per_s: 0 });
  await all.server.finished(id);
  assert.equal(
    all.restic.starts[0]?.args,
    "backup --json --host=alpha --tag=documents --exclude=*.tmp --exclude=-x --limit-upload 500 -- /a /b c",
  );
  const [started] = all.server.of("job.started");
  assert.deepEqual([started?.bandwidth_up_kib_per_s, started?.bandwidth_down_kib_per_s], [500, 0]);
});

Deno.test("secrets reach restic by its environment, and neither arguments nor lines nor the agent's log", async () => {
  const secrets = { password: "pass-secret", rest_password: "rest-secret", username: "alpha" };
  await using all = await setUp({
    version: "0.14.0",
    verbs: {
      backup: `env; cat /proc/$$/cmdline | tr '\\0' ' '; echo; echo oops rest-secret >&2; exit 1`,
    },
    server: {
      config: {
        repository: access("rest:http://127.0.0.1:9/alpha/", {
          ...secrets,
          environment: { AWS_SECRET_ACCESS_KEY: "aws-secret" },
        }),
      },
    },
    agent: {},
  });
  const id = jobId();
  all.server.run({ job_id: id, source_group: GROUP });
  const end = await all.server.finished(id);
  const texts = all.server.texts(id);
  assert.ok(texts.includes("RESTIC_PASSWORD=***"), texts.join("\n"));
  assert.ok(texts.includes("RESTIC_REPOSITORY=rest:http://alpha:***@127.0.0.1:9/alpha/"));
  assert.ok(texts.includes("AWS_SECRET_ACCESS_KEY=***"));
  assert.equal(end.reason, "restic failed (exit code 1): oops ***");
  const everything = JSON.stringify(all.server.messages) + all.logged.join("") +
    JSON.stringify(all.restic.starts);
  assert.doesNotMatch(everything, /(pass|rest|aws)-secret/);
  for (const name of ["RM_TOKEN", "LD_", "USER="]) {
    assert.ok(!texts.some((text) => text.startsWith(name)));
  }
});

Deno.test("a repository address that would run a program is refused on the host", async () => {
  for (const url of ["sftp:-oProxyCommand=id:/x", "rclone::sftp,ssh=id:x", "--repo", "file:///x"]) {
    await using all = await setUp({ server: { config: { repository: access(url) } } });
    const id = jobId();
    all.server.run({ job_id: id, source_group: GROUP });
    const end = await all.server.finished(id);
    assert.equal(end.reason_code, "bad_url");
    assert.equal(all.restic.starts.length, 0);
  }
});

Deno.test("an order for another repository fails with the reason", async () => {
  await using all = await setUp();
  const id = jobId();
  all.server.run({
    job_id: id,
    repository_id: "99999999-9999-4999-8999-999999999999",
    kind: "stats",
  });
  const end = await all.server.finished(id);
  assert.equal(end.reason, "This host has no credential for that repository.");
  assert.equal(end.reason_code, "no_credential");
});

Deno.test("without restic the agent connects and says so, and a job fails with what to do", async () => {
  await using all = await setUp({ agent: { restic: "/nowhere/restic" } });
  const hello = await all.server.hello();
  assert.equal(hello.restic_version, null);
  assert.match(hello.restic_problem ?? "", /\/nowhere\/restic .*package manager/);
  assert.equal(hello.restic_problem_code, "restic_missing");
  const id = jobId();
  all.server.run({ job_id: id, source_group: GROUP });
  const end = await all.server.finished(id);
  assert.equal(end.reason_code, "restic_missing");
  assert.match(end.reason ?? "", /RM_RESTIC/);
});

Deno.test("progress is told once a second, the first always, and is no line", async () => {
  const status = (n: number) =>
    `echo '{"message_type":"status","percent_done":0.${n},"total_files":9,"files_done":${n}}'`;
  await using all = await setUp({
    verbs: { backup: `${status(1)}; ${status(2)}; ${status(3)}; ${SUMMARY}`, snapshots: LISTED },
  });
  const id = jobId();
  all.server.run({ job_id: id, source_group: GROUP });
  await all.server.finished(id);
  assert.deepEqual(all.server.of("job.progress").map(({ progress }) => progress.files_done), [1]);
  assert.ok(!all.server.texts(id).some((text) => text.includes("status")));
});

Deno.test("a repository that never answers is given up after the deadline", async () => {
  await using all = await setUp({
    verbs: { backup: `echo 'Stat(<config/>) returned error, retrying' >&2; ${hang()}` },
    agent: { timeouts: { contactMs: 150 } },
  });
  const id = jobId();
  all.server.run({ job_id: id, source_group: GROUP });
  const end = await all.server.finished(id);
  assert.equal(end.status, "failed");
  assert.equal(end.reason_code, "unreachable");
});

Deno.test("a slow index load is no unreachable repository: restic has touched its cache", async () => {
  await using all = await setUp({
    verbs: {
      backup: `mkdir "$RESTIC_CACHE_DIR/repo-id"; sleep 2; ${SUMMARY}`,
      snapshots: LISTED,
    },
    agent: { timeouts: { contactMs: 1000 } },
  });
  const id = jobId();
  all.server.run({ job_id: id, source_group: GROUP });
  const end = await all.server.finished(id);
  assert.equal(end.status, "succeeded", end.reason ?? "");
});

Deno.test("200,000 lines arrive once and in order although the server drops the connection again and again", async () => {
  const count = 200_000;
  await using all = await setUp({
    verbs: { backup: `seq -f 'line %.0f' ${count}; ${SUMMARY}`, snapshots: LISTED },
  });
  const id = jobId();
  let batches = 0;
  all.server.onMessage = (message, socket) => {
    if (message.type !== "log.stream" || ++batches % 150 !== 0) return;
    socket.close(4000, "test");
    return true;
  };
  all.server.run({ job_id: id, source_group: GROUP });
  const end = await all.server.finished(id, 60_000);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.ok(all.server.connections > 3, `${all.server.connections} connections`);
  const texts = all.server.texts(id).filter((text) => text.startsWith("line "));
  assert.equal(texts.length, count);
  texts.forEach((text, index) => assert.equal(text, `line ${index + 1}`));
});

Deno.test("a job that breaks before it begins is told as failed, and the next one runs", async () => {
  const window = {
    days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const,
    from: "00:00",
    to: "23:59",
  };
  await using all = await setUp({
    verbs: { backup: SUMMARY, snapshots: LISTED },
    server: {
      config: {
        bandwidth_windows: [{
          ...window,
          days: [...window.days],
          bandwidth_up_kib_per_s: 5,
          bandwidth_down_kib_per_s: null,
        }],
        // The limits of the hour cannot be worked out.
        time_zone: "Mars/Olympus_Mons",
      },
    },
  });
  const [first, second] = [jobId(), jobId()];
  all.server.run({ job_id: first, source_group: GROUP });
  const end = await all.server.finished(first);
  assert.deepEqual([end.status, end.reason_code], ["failed", "agent_error"]);
  assert.match(end.reason ?? "", /The agent could not run this job: .*Mars/);
  all.agent.plan.setConfig({ ...all.agent.plan.config!, time_zone: "UTC" });
  all.server.run({ job_id: second, source_group: GROUP });
  assert.equal((await all.server.finished(second)).status, "succeeded");
});
