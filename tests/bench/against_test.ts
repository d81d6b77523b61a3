import assert from "node:assert/strict";
import { compare, readTable } from "./against.ts";

const table = (first: number, second: number) =>
  readTable(`2 cores

| measure | limit beside it | goal | median | spread | the median round |
| --- | --- | --- | --- | --- | --- |
| lines per second | raw | ≥ 0.5 | ${first} × | 0.5–0.6 | 300 |
| slowest page | – | ≤ 300 ms | ${second} ms | 80–99 |  |
`);

Deno.test("two checkouts are compared by the median of their pairs, also where more is better", () => {
  assert.deepEqual(table(0.6, 92).map(({ value }) => value), [0.6, 92]);
  const pairs = [[0.6, 90], [0.6, 100], [0.6, 95]].map(([a, b]) =>
    [table(a!, b!), table(a! / 2, b! * 1.02)] as [
      ReturnType<typeof table>,
      ReturnType<typeof table>,
    ]
  );
  const [lines, page] = compare(pairs);
  assert.deepEqual([lines!.median, lines!.spread, lines!.isWorse], [2, [1, 1], true]);
  assert.equal(page!.median.toFixed(3), "1.020");
  assert.deepEqual([page!.spread.map((each) => each.toFixed(2)), page!.isWorse], [
    ["0.95", "1.05"],
    false,
  ]);
  // What differs no more than the old one from itself is not worse.
  const noisy = compare(pairs.map(([old, now], n) => [n ? old : table(0.6, 190), now]));
  assert.equal(noisy[1]!.isWorse, false);
});
