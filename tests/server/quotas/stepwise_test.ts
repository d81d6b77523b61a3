import assert from "node:assert/strict";
import { stepwise } from "../../../server/quotas/stepwise.ts";
import { pause } from "../../../server/pause.ts";
import type { Server } from "../../../server/server.ts";

Deno.test("a removal in steps that the end of the server meets in a pause ends with it, and leaves no timer", async () => {
  const closing = new AbortController();
  let steps = 0;
  const database = {
    raw: () => {
      steps++;
      // A step on a slow disk: the pause after it is eight times as long.
      const until = performance.now() + 500;
      while (performance.now() < until);
      queueMicrotask(() => setTimeout(() => closing.abort(), 0));
      return Promise.resolve(true);
    },
  };
  const began = performance.now();
  // Deno's sanitizer tells of a timer that is left.
  const isDone = await stepwise(
    { closing: closing.signal, database } as unknown as Server,
    () => true,
  );
  assert.deepEqual([isDone, steps], [false, 1]);
  assert.ok(performance.now() - began < 3000);
});

Deno.test("a pause ends by itself, at its signal, and at once where that was before", async () => {
  const signal = new AbortController();
  await pause(1, signal.signal);
  const waiting = pause(3_600_000, signal.signal);
  signal.abort();
  await waiting;
  await pause(3_600_000, signal.signal);
});
