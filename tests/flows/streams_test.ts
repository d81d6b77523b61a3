// A gigabyte by a stream, over the real socket between two processes, while a job reports: what it costs in memory on either side, and how
// late heartbeats and reports are.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { StreamError } from "../../server/agent_streams.ts";
import { eventually } from "../support/eventually.ts";
import { joinHost } from "../support/fake_agent.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { startServer } from "../support/start_server.ts";
import { testFolder } from "../support/start_agent.ts";

const MIB = 1024 * 1024;
const PROGRAM = fileURLToPath(new URL("../support/streaming_agent.ts", import.meta.url));

interface Seen {
  made: number;
  running: number;
  top: number;
  connected: boolean;
}

/** A server, an agent in a process of its own, and a backup there that prints a line every 50 ms. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(testFolder());
  const test = stack.use(await startServer());
  const host = await joinHost(test, "alpha", { url: `${folder.path}/repository` });
  const restic = new FakeRestic(folder.path, {
    verbs: { backup: "while :; do echo line; sleep 0.05; done", cat: "echo '{}'" },
  });
  const given = { directory: folder.path, server: test.url, ...host, restic: restic.path };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROGRAM, JSON.stringify(given)],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let seen: Seen | undefined;
  const reading = (async () => {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      if (lines.length > 0) seen = JSON.parse(lines.at(-1)!);
    }
  })();
  stack.defer(async () => {
    child.kill("SIGKILL");
    await Promise.all([child.status, reading]);
  });
  const api = (path: string, body?: unknown) =>
    test.api("alice", body ? "POST" : "GET", `/api/hosts/${host.hostId}${path}`, body);
  await eventually("the repository is ready", async () => {
    return (await api("")).body.repository_state === "ready";
  });
  const { job_id } = (await api("/jobs", { kind: "backup" })).body;
  const newest = test.server.database.sqlite.prepare(
    "select max(at) as at from job_lines where job_number = (select number from jobs where id = ?)",
  );
  const newestLine = () => (newest.get(job_id) as { at: number | null }).at;
  await eventually("its lines come", () => newestLine() !== null);
  const agent = () => test.server.agents.of(host.hostId)[0];
  return Object.assign(stack.move(), {
    test,
    agent,
    newestLine,
    seen: () => seen!,
    open: (mebibytes: number) =>
      agent()!.streams.open({ kind: "folder", path: `/${mebibytes}`, within: null })!,
  });
}

type World = Awaited<ReturnType<typeof setUp>>;

/** Looks every 20 ms until it is disposed: how late the newest line and the last heartbeat were at worst, and how large this process got. */
function watch(world: World) {
  const idle = Deno.memoryUsage().rss;
  const idleThere = world.seen().top;
  const worst = { line: 0, heartbeat: 0, here: 0 };
  // Each heartbeat sets it to what it tells of the way here: both clocks are one.
  let heardAt = performance.now();
  let skew = 0;
  Object.defineProperty(world.agent()!, "skew", {
    get: () => skew,
    set(value: number) {
      skew = value;
      worst.heartbeat = Math.max(worst.heartbeat, value, performance.now() - heardAt);
      heardAt = performance.now();
    },
  });
  const timer = setInterval(() => {
    worst.here = Math.max(worst.here, Deno.memoryUsage().rss - idle);
    worst.line = Math.max(worst.line, Date.now() - world.newestLine()!);
  }, 20);
  return {
    worst,
    there: () => world.seen().top - idleThere,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function assertBounded(watched: ReturnType<typeof watch>): void {
  const { worst } = watched;
  const said = JSON.stringify({ ...worst, there: watched.there() });
  assert.ok(worst.heartbeat > 0, said);
  assert.ok(worst.line < 1000 && worst.heartbeat < 1000, said);
  assert.ok(worst.here < 32 * MIB, said);
  assert.ok(watched.there() < 32 * MIB, said);
}

Deno.test("1 GB passes to a reader who takes it, within 32 MB on either side, and no report is a second late", async () => {
  await using world = await setUp();
  using watched = watch(world);
  let bytes = 0;
  for await (const piece of world.open(1024)) bytes += piece.length;
  assert.equal(bytes, 1024 * MIB);
  await eventually("its producer ended", () => world.seen().running === 0);
  assertBounded(watched);
});

Deno.test("a slow reader stops the producer; a cancel and a lost socket end it, and free all", async () => {
  await using world = await setUp();
  using watched = watch(world);
  const { streams } = world.test.server.agents;
  const slow = world.open(1024);
  for (let n = 0; n < 20; n++) {
    await slow.read();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // What was read, the window, and the piece in the producer's hand.
  assert.ok(world.seen().made < 3 * MIB, `${world.seen().made}`);
  slow.cancel();
  await eventually("its producer ended", () => world.seen().running === 0);
  assert.equal(streams.open, 0);

  const lost = world.open(1024);
  for (let n = 0; n < 100; n++) await lost.read();
  assertBounded(watched);
  world.agent()!.socket.close(4000, "test");
  await assert.rejects(
    (async () => {
      while (await lost.read());
    })(),
    (error: StreamError) => error.fault === "lost",
  );
  await eventually("its producer ended", () => world.seen().running === 0);
  assert.equal(streams.open, 0);
  await eventually("the agent is back", () => world.agent()?.socket.readyState === WebSocket.OPEN);
  let bytes = 0;
  for await (const piece of world.open(1)) bytes += piece.length;
  assert.equal(bytes, MIB);
});
