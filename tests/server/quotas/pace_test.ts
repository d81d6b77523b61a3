import assert from "node:assert/strict";
import { Paces, Slices } from "../../../server/quotas/pace.ts";
import { YieldQueue } from "../../../server/yield_queue.ts";

/** Reports that are there already and take a millisecond each, as promises alone. */
async function reports(slices: Slices, until: () => boolean): Promise<number> {
  for (let n = 1; n <= 300; n++) {
    await slices.next();
    const began = performance.now();
    while (performance.now() - began < 1);
    slices.spent(performance.now() - began);
    if (until()) return n;
  }
  return Infinity;
}

Deno.test("however many reports of an agent are there, others have a turn after ten milliseconds or so", async () => {
  let isAnswered = false;
  const timer = setTimeout(() => isAnswered = true, 0);
  const before = await reports(new Slices(new YieldQueue()), () => isAnswered);
  clearTimeout(timer);
  assert.ok(before <= 30, `${before} reports came before`);
  await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("an agent sends a burst at once and is then held to a pace, which a new connection does not begin anew", async () => {
  const closing = new AbortController();
  const paces = new Paces(closing.signal);
  const MEGABYTE = 1_048_576;
  for (let n = 0; n < 64; n++) await paces.wait("alpha", MEGABYTE, () => false);
  let isThrough = false;
  const held = paces.wait("alpha", 100 * MEGABYTE, () => false).then(() => isThrough = true);
  const other = performance.now();
  await paces.wait("beta", MEGABYTE, () => false);
  assert.ok(performance.now() - other < 200);
  assert.equal(isThrough, false);
  // Nothing is left over when the server stops.
  closing.abort();
  await held;
});
