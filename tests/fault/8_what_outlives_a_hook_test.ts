import assert from "node:assert/strict";
import { join } from "node:path";
import { markOf } from "../../agent/jobs/process_mark.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { BACKUP, hookedAgent } from "../support/hooked_agent.ts";
import { jobId, startAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

/** Each writes its number into $F and goes on for ten minutes. */
const STAY = `sh -c 'echo $$ >"$F"; exec sleep 600'`;
const QUIET = ">/dev/null 2>&1 </dev/null";
const WAYS: [words: string, script: string][] = [
  ["in the background", `${STAY} &`],
  ["nohup", `nohup ${STAY} ${QUIET} &`],
  ["a session of its own", `setsid ${STAY} ${QUIET} &`],
  ["forked twice", `( ( ${STAY} ${QUIET} & ) & )`],
  [
    "a session, forked twice, elsewhere, closed",
    `cd /; setsid sh -c '( ${STAY.replaceAll("'", `'\\''`)} & )' >&- 2>&- <&-`,
  ],
  ["a process group of its own", `set -m; ${STAY} ${QUIET} & set +m`],
  [
    "deaf to TERM and HUP",
    `setsid sh -c 'trap "" TERM HUP; echo $$ >"$F"; while :; do sleep 1; done' ${QUIET} &`,
  ],
  ["another name", `setsid bash -c 'echo $$ >"$F"; exec -a "[kworker/0:1]" sleep 600' ${QUIET} &`],
];

function isAlive(pid: number): boolean {
  const { stdout } = new Deno.Command("/bin/ps", { args: ["-o", "stat=", "-p", String(pid)] })
    .outputSync();
  const stat = new TextDecoder().decode(stdout).trim();
  return stat !== "" && !stat.startsWith("Z");
}

async function pidIn(path: string): Promise<number> {
  return await eventually("it says its number", () => {
    try {
      return Number(Deno.readTextFileSync(path));
    } catch {
      return 0;
    }
  });
}

const withFile = (path: string, script: string) =>
  `export F="${path}"; ${script}
while [ ! -s "$F" ]; do sleep 0.05; done`;

for (const kind of ["backup", "hook"] as const) {
  fault({
    id: "8",
    promise: `whatever a pre hook left behind has ended with its job (${kind})`,
    done: `pre hooks of a ${kind} job leave a process: ${WAYS.map(([words]) => words).join("; ")}`,
    expected: "each is dead when the job ends, and the job's log names it with its number",
  }, async (see) => {
    await using all = await hookedAgent();
    const seen: string[] = [];
    for (const [words, script] of WAYS) {
      const path = join(all.folder, `pid-${seen.length}`);
      const hooks = { pre_hook: withFile(path, script), timeout_seconds: 20 };
      const end = kind === "backup"
        ? await all.run(hooks)
        : await all.run({}, { kind, hook: { name: "pre_hook", hooks, source_group_name: null } });
      assert.equal(end.status, "succeeded", `${words}: ${end.reason}`);
      const pid = await pidIn(path);
      assert.ok(!isAlive(pid), `${words}: ${pid} lives`);
      const line = all.server.texts(end.job_id).find((text) => text.includes(`process ${pid},`));
      assert.match(
        line ?? "",
        /of the pre_hook\).* outlived the job and (is|are) ended now/,
        words,
      );
      seen.push(words);
    }
    see(seen.join("; "));
  });
}

fault({
  id: "8",
  promise:
    "a pre hook's database lives until its post hook has stopped it, and a post hook's service lives on",
  done:
    "a pre hook starts a daemon that the post hook asks before it stops it; another job's post hook starts a service; a third pre hook starts one without the mark",
  expected:
    "the post hook finds the daemon alive; the service lives and is named in the log; the one without the mark lives",
}, async (see) => {
  await using all = await hookedAgent();
  const database = join(all.folder, "database");
  const first = await all.run({
    pre_hook: withFile(database, `setsid ${STAY} ${QUIET} &`),
    post_hook: `kill -0 $(cat ${database}) && echo it lives; kill $(cat ${database})`,
  });
  assert.equal(first.status, "succeeded", first.reason ?? "");
  assert.deepEqual(all.printed(first.job_id), ["it lives"]);
  const service = join(all.folder, "service");
  const second = await all.run({ post_hook: withFile(service, `setsid ${STAY} ${QUIET} &`) });
  const pid = await pidIn(service);
  assert.ok(isAlive(pid));
  assert.equal(second.warnings, 0);
  const line = all.server.texts(second.job_id).find((text) => text.includes(`process ${pid},`));
  assert.match(line ?? "", /of the post_hook\) still runs; left alone/);
  const unmarked = join(all.folder, "unmarked");
  await all.run({
    pre_hook: withFile(unmarked, `env -u RM_PROCESS_MARK setsid ${STAY} ${QUIET} &`),
  });
  const free = await pidIn(unmarked);
  assert.ok(isAlive(free));
  Deno.kill(pid, "SIGKILL");
  Deno.kill(free, "SIGKILL");
  see(`database: it lives until its post hook; service: "${line}"; without the mark it stays`);
});

fault({
  id: "8",
  promise:
    "also after a cancel, a time limit and the agent's stop nothing is left; the same for what restic started",
  done:
    "a pre hook leaves a daemon and hangs until it is cancelled, is overdue, or the agent is stopped; restic leaves a helper of its own session and is cancelled",
  expected: "all are dead when the job has ended",
}, async (see) => {
  const seen: string[] = [];
  for (const how of ["cancelled", "overdue", "stopped"] as const) {
    await using all = await hookedAgent();
    const path = join(all.folder, "pid");
    const hang = `${withFile(path, `setsid ${STAY} ${QUIET} &`)}; sleep 600`;
    const job = all.begin({
      pre_hook: hang,
      timeout_seconds: how === "overdue" ? 1 : 60,
    });
    const pid = await pidIn(path);
    if (how === "cancelled") all.server.send({ type: "command.cancel", job_id: job });
    if (how === "stopped") await all.agent.stop();
    else await all.server.finished(job);
    assert.ok(!isAlive(pid), `${how}: ${pid} lives`);
    seen.push(how);
  }
  await using all = await hookedAgent({
    ...BACKUP,
    backup: `export F=$(dirname $0)/helper; setsid ${STAY} ${QUIET} & echo running; sleep 600`,
  });
  const job = all.begin({});
  const pid = await pidIn(join(all.folder, "helper"));
  all.server.send({ type: "command.cancel", job_id: job });
  await all.server.finished(job);
  assert.ok(!isAlive(pid), "restic's helper lives");
  see(`${seen.join("; ")}; restic's helper`);
});

fault({
  id: "8",
  promise: "what a killed agent's jobs left has ended before the next start writes",
  done:
    "processes with the marks of a pre hook, of restic and of a post hook are there when an agent starts, its ledger lost; one of another state folder too",
  expected: "the first two are killed; the post hook's and the other agent's live",
}, async (see) => {
  using folder = testFolder();
  using other = testFolder();
  const state = join(folder.path, "state");
  Deno.mkdirSync(state);
  const spawn = (stateDir: string, phase: "pre" | "post" | "restic") =>
    new Deno.Command("/bin/sleep", { args: ["600"], env: markOf(stateDir, jobId(), phase) })
      .spawn();
  const [pre, restic, post, foreign] = [
    spawn(state, "pre"),
    spawn(state, "restic"),
    spawn(state, "post"),
    spawn(other.path, "pre"),
  ];
  await using server = new FakeServer();
  const program = new FakeRestic(folder.path);
  await using started = await startAgent(server, { directory: folder.path, restic: program.path });
  const [first, second] = await Promise.all([pre.status, restic.status]);
  assert.equal(first.signal, "SIGKILL");
  assert.equal(second.signal, "SIGKILL");
  assert.ok(isAlive(post.pid) && isAlive(foreign.pid));
  for (const each of [post, foreign]) {
    each.kill("SIGKILL");
    await each.status;
  }
  const line = started.logged.find((text) => text.includes("outlived an earlier agent"));
  assert.ok(line);
  see(line.trim());
});
