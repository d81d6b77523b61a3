import assert from "node:assert/strict";
import { join } from "node:path";
import type { AgentProblem } from "../../shared/protocol.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

const garbage = crypto.getRandomValues(new Uint8Array(300));
const text = (content: string) => () => new TextEncoder().encode(content);
const DAMAGES: [words: string, damage: (whole: Uint8Array) => Uint8Array][] = [
  ["empty", text("")],
  ["cut in the middle", (whole) => whole.subarray(0, Math.floor(whole.length / 2))],
  ["random bytes", () => garbage],
  ["zeros, as after a power cut", (whole) => new Uint8Array(whole.length || 9)],
  ["JSON of another shape", text('{"version":2,"jobs":{},"schedules":[]}')],
  ["null", text("null")],
];
const FILES = [
  "jobs.json",
  "timers.json",
  "plan.sealed",
  "plan.key",
  "file_systems.json",
  "problems.json",
];

const PLAN = {
  type: "plan.set",
  plan_version: 3,
  schedules: [],
  source_groups: [{
    ...order(["/"]),
    hooks: { post_hook: "true", timeout_seconds: 60 },
    retry_max: 0,
    retry_backoff_seconds: 60,
  }],
} as const;

async function withAgent(
  folder: string,
  server: FakeServer,
  restic: string,
  act: (logged: string[]) => Promise<void>,
): Promise<void> {
  await using started = await startAgent(server, { directory: folder, restic });
  await act(started.logged);
}

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder, { verbs: { backup: SUMMARY, snapshots: LISTED } });
  const server = stack.use(
    new FakeServer({ config: { repository: access(join(folder, "repository")) } }),
  );
  server.plan = structuredClone(PLAN) as never;
  const state = join(folder, "state");
  let helloes = 0;
  /** Starts the agent, has one backup made, and stops it; returns what it said of itself. */
  const run = async () => {
    let logged: string[] = [];
    let problems: AgentProblem[] = [];
    const id = jobId();
    await withAgent(folder, server, restic.path, async (lines) => {
      logged = lines;
      const hello = await server.hello(++helloes);
      server.run({ job_id: id, source_group: order([folder]) });
      const end = await server.finished(id);
      assert.equal(end.status, "succeeded", end.reason ?? "");
      await eventually(
        "the end is acknowledged",
        () => server.of("job.finished").some(({ job_id }) => job_id === id),
      );
      problems = hello.problems ?? [];
    });
    return { problems, logged: logged.join(""), hello: server.of("hello").at(-1)! };
  };
  return Object.assign(stack.move(), { folder, state, server, run });
}

for (const file of FILES) {
  fault({
    id: "4",
    promise: `a damaged ${file} is put aside and named, and backups go on`,
    done: `${file} is made ${
      DAMAGES.map(([words]) => words).join("; ")
    }; and a folder: the agent is started, makes a backup, is stopped and started again`,
    expected:
      "the old content byte for byte under ….bad-N, a sentence in the log and in hello (also of the next start), a good backup each time",
  }, async (see) => {
    const seen: string[] = [];
    for (const [words, damage] of DAMAGES) {
      await using all = await setUp();
      await all.run();
      const path = join(all.state, file);
      // problems.json is only there once there was one.
      const whole = isThere(path) ? Deno.readFileSync(path) : text('{"events":[]}')();
      const bad = damage(whole);
      Deno.writeFileSync(path, bad);
      Deno.writeTextFileSync(`${path}.bad-1`, "of before");
      const { problems, logged, hello } = await all.run();
      assert.deepEqual(Deno.readFileSync(`${path}.bad-2`), bad, words);
      assert.equal(Deno.readTextFileSync(`${path}.bad-1`), "of before");
      const named = problems.find((each) =>
        each.text.includes(file === "plan.key" ? "plan." : file)
      );
      assert.equal(named?.kind, "state_damaged", `${words}: ${JSON.stringify(problems)}`);
      assert.ok(logged.includes(named.text), "the log says the same");
      assert.equal(hello.ledger_lost, file === "jobs.json" ? true : undefined);
      const next = await all.run();
      assert.ok(next.problems.some(({ text }) => text === named.text), "it survives a restart");
      if (file === "jobs.json") {
        assert.match(named.text, /post_hook of "documents" may not have run/);
        assert.ok(next.hello.ledger_lost, "until the machine is started again");
        assert.match(hello.boot_id ?? "", /^[0-9a-f-]{36}$/);
      }
      seen.push(words);
    }
    await using all = await setUp();
    await all.run();
    const path = join(all.state, file);
    if (isThere(path)) Deno.removeSync(path);
    Deno.mkdirSync(join(path, "inner"), { recursive: true });
    const { problems } = await all.run();
    assert.ok(Deno.statSync(`${path}.bad-1/inner`).isDirectory);
    assert.equal(problems.length, 1);
    see(`kept, named and gone on: ${seen.join("; ")}; a folder: "${problems[0]!.text}"`);
  });
}

fault({
  id: "4",
  promise: "what is whole in a damaged journal is sent, and numbers go on",
  done:
    "of three unacknowledged reports one is damaged, a segment is filled with garbage, the journal is a file, a name holds an absurd number",
  expected: "the agent starts, sends what is whole, and each next report has a higher number",
}, async (see) => {
  const damages: [string, (journal: string, segment: string) => void][] = [
    ["a bit flipped in the middle", (_, path) => {
      const bytes = Deno.readFileSync(path);
      bytes[bytes.indexOf(10) + 40]! ^= 1;
      Deno.writeFileSync(path, bytes);
    }],
    ["garbage", (_, path) => Deno.writeFileSync(path, garbage)],
    ["zeros", (_, path) => Deno.writeFileSync(path, new Uint8Array(500))],
    ["a folder in place of a segment", (_, path) => {
      Deno.removeSync(path);
      Deno.mkdirSync(path);
    }],
    ["a file in place of the journal", (journal) => {
      Deno.removeSync(journal, { recursive: true });
      Deno.writeTextFileSync(journal, "no folder");
    }],
    [
      "a name beyond all numbers",
      (journal) => Deno.writeTextFileSync(join(journal, "9999999999999999.log"), "x"),
    ],
  ];
  const seen: string[] = [];
  for (const [words, damage] of damages) {
    await using all = await setUp();
    all.server.acknowledges = false;
    await all.run();
    const before = Math.max(...all.server.of("job.finished").map(({ seq }) => seq));
    const journal = join(all.state, "journal");
    const segment = [...Deno.readDirSync(journal)].map(({ name }) => name).sort()[0]!;
    damage(journal, join(journal, segment));
    all.server.acknowledges = true;
    const { problems } = await all.run();
    assert.match(problems.map(({ text }) => text).join(), /[Rr]eports/, words);
    const after = all.server.of("job.finished").at(-1)!.seq;
    assert.ok(after > before && Number.isSafeInteger(after), `${words}: ${before}, then ${after}`);
    seen.push(`${words}: from ${before} to ${after}`);
  }
  see(seen.join("; "));
});

fault({
  id: "4",
  promise: "a ledger that is gone is a lost one",
  done: "jobs.json is removed while the agent is down",
  expected: "ledger_lost in hello, a problem that names it, and the next writing job unlocks",
}, async (see) => {
  await using all = await setUp();
  await all.run();
  Deno.removeSync(join(all.state, "jobs.json"));
  const { hello, problems } = await all.run();
  assert.ok(hello.ledger_lost);
  assert.match(problems[0]!.text, /jobs\.json is gone/);
  const lines = all.server.of("log.stream").flatMap((each) => each.lines.map(({ text }) => text));
  assert.ok(lines.some((line) => line.includes("removing locks of dead processes")));
  see(problems[0]!.text);
});

fault({
  id: "4",
  promise: "whose state it is stays known although host_id is damaged",
  done: "host_id is made empty, cut, garbage and a folder",
  expected:
    "the state stays where it is, with what was still to be reported; the damaged file is kept",
}, async (see) => {
  const { takeOverState } = await import("../../agent/state_owner.ts");
  const { createLog } = await import("../../shared/log.ts");
  const id = "0198c0de-1111-7222-8333-444455556666";
  for (const content of ["", id.slice(0, 20), "\0\0\0\0", undefined]) {
    using folder = testFolder();
    const path = join(folder.path, "host_id");
    if (content === undefined) Deno.mkdirSync(path);
    else Deno.writeTextFileSync(path, content);
    Deno.mkdirSync(join(folder.path, "journal"));
    takeOverState(folder.path, id, createLog("error", () => {}));
    assert.ok(isThere(join(folder.path, "journal")), "the state was given away");
    assert.equal(Deno.readTextFileSync(path), id);
    assert.ok(isThere(`${path}.bad-1`));
  }
  // Another host's state is still put aside.
  using folder = testFolder();
  Deno.writeTextFileSync(join(folder.path, "host_id"), "0198c0de-9999-7222-8333-444455556666");
  Deno.mkdirSync(join(folder.path, "journal"));
  takeOverState(folder.path, id, createLog("error", () => {}));
  assert.ok(!isThere(join(folder.path, "journal")));
  see("4 damages kept the state; another host's id still puts it aside");
});

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
