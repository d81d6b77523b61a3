import assert from "node:assert/strict";
import { Backoff } from "../../shared/backoff.ts";

Deno.test("waits double up to the most, are spread by up to half, and begin anew after reset()", () => {
  const longest = new Backoff(1000, 60_000, () => 1);
  assert.deepEqual(Array.from({ length: 8 }, () => longest.next()), [
    1000,
    2000,
    4000,
    8000,
    16_000,
    32_000,
    60_000,
    60_000,
  ]);
  longest.reset();
  assert.equal(longest.next(), 1000);
  assert.equal(new Backoff(1000, 60_000, () => 0).next(), 500);
});
