// What nobody awaits: its silent end must leave nothing undone or waited for in vain for good.
import assert from "node:assert/strict";
import { Events } from "../../server/events.ts";
import type { Server } from "../../server/server.ts";
import { startTasks } from "../../server/tasks.ts";
import { createPasswordHasher } from "../../server/users/password.ts";
import { eventually } from "../support/eventually.ts";

const CHEAP = { memoryKib: 64, iterations: 1 };

Deno.test("a password worker that does not answer keeps nobody waiting, and the next one gets a new worker", async () => {
  const slow = createPasswordHasher({ memoryKib: 262_144, iterations: 20 }, 300);
  await assert.rejects(slow.hash("a long enough passphrase"), /did not answer within 300 ms/);
  slow.close();
  const hasher = createPasswordHasher(CHEAP, 20_000);
  const hash = await hasher.hash("a long enough passphrase");
  // A worker that dies of its request: memory that nothing can give.
  const broken = hash.replace("m=64", "m=4294967295");
  await assert.rejects(hasher.verify("a long enough passphrase", broken));
  assert.equal(await hasher.verify("a long enough passphrase", hash), true);
  hasher.close();
});

Deno.test("a stranger's name takes as long again after the decoy's hash failed once", async () => {
  const RealWorker = globalThis.Worker;
  let isBroken = true;
  // The real worker, which dies as soon as it begins while it is said to.
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(isBroken ? "data:application/javascript,throw new Error('no memory')" : url, options);
    }
  };
  const hasher = createPasswordHasher(CHEAP, 20_000);
  try {
    await assert.rejects(hasher.verify("guess", undefined), /no memory/);
    isBroken = false;
    assert.equal(await hasher.verify("guess", undefined), false);
  } finally {
    globalThis.Worker = RealWorker;
    hasher.close();
  }
});

Deno.test("a periodic task that hangs is started anew and logged, one that fails is tried again", async () => {
  const closing = new AbortController();
  const logged: string[] = [];
  const runs = { hangs: 0, fails: 0 };
  const server = {
    closing: closing.signal,
    log: { error: (line: string) => logged.push(line) },
    storage: { asAppError: () => undefined },
  } as unknown as Server;
  startTasks(server, [
    { name: "hangs", everySeconds: 0.01, run: () => (runs.hangs++, new Promise(() => {})) },
    { name: "fails", everySeconds: 0.01, run: () => (runs.fails++, Promise.reject("no disk")) },
  ], 50);
  await eventually("both run again", () => runs.hangs > 2 && runs.fails > 2);
  closing.abort();
  assert.ok(logged.includes("task hangs: it hangs; started anew"), logged.join("\n"));
  assert.ok(logged.includes("task fails: no disk"));
  assert.ok(runs.hangs < runs.fails);
});

Deno.test("a page's listener that throws takes no event from the others, nor fails the report that caused it", () => {
  const faults: unknown[] = [];
  const events = new Events((error) => faults.push(error));
  let heard = 0;
  events.subscribe("fleet", () => {
    throw new Error("its stream is gone");
  });
  events.subscribe("fleet", () => heard++);
  events.publish({ type: "host", hostId: "alpha" });
  assert.deepEqual([heard, faults.length], [1, 1]);
});
