import assert from "node:assert/strict";
import { join } from "node:path";
import { batchesOf, countsOf, lastLine, runBatches, testFiles } from "./lanes.ts";
import { testFolder } from "./support/start_agent.ts";

Deno.test("every test file is in one batch, and what takes longest begins first", () => {
  const files = testFiles("tests");
  assert.ok(files.includes("tests/lanes_test.ts") && files.includes("tests/deploy/build_test.ts"));
  const batches = batchesOf(files, "/reports");
  assert.deepEqual(batches.flatMap((batch) => batch.files).sort(), files.sort());
  assert.match(batches[0]!.files[0]!, /^tests\/deploy\//);
  assert.equal(new Set(batches.map(({ report }) => report)).size, batches.length);
});

Deno.test("the counts of deno's last line are read in each of its forms", () => {
  const none = { passed: 7, steps: 0, failed: 0, ignored: 0 };
  assert.deepEqual(countsOf("x ... ok (1ms)\n\nok | 7 passed | 0 failed (228ms)\n"), none);
  assert.deepEqual(countsOf("ok | 1 passed | 0 failed (1s)\nok | 7 passed | 0 failed (2s)"), none);
  assert.deepEqual(
    countsOf(
      "\u001b[31mFAILED\u001b[0m | 7 passed (1 step) | 2 failed (3 steps) | 4 ignored (1m2s)",
    ),
    { passed: 7, steps: 1, failed: 2, ignored: 4 },
  );
  assert.equal(countsOf("killed"), undefined);
});

Deno.test("a batch that fails, or dies without a word, fails the run, and all of it is counted and named at the end", async () => {
  using folder = testFolder();
  const file = (name: string, text: string) => {
    const path = join(folder.path, `${name}_test.ts`);
    Deno.writeTextFileSync(path, text);
    return { files: [path], report: join(folder.path, `${name}.xml`) };
  };
  const good = file("good", `Deno.test("it works", () => {});`);
  const bad = file("bad", `Deno.test("it breaks", () => { throw 1; });`);
  const dead = file("dead", `Deno.test("it dies", () => Deno.kill(Deno.pid, "SIGKILL"));`);
  const early = file("early", `Deno.exit(0);`);
  const said: string[] = [];
  const { log } = console;
  console.log = (text: string) => said.push(text);
  const codes: number[] = [];
  try {
    codes.push(await runBatches([good], 2, {}));
    codes.push(await runBatches([good, bad, dead], 2, {}));
    codes.push(await runBatches([good, early], 2, {}));
  } finally {
    console.log = log;
  }
  assert.equal(codes[0], 0);
  assert.notEqual(codes[1], 0);
  assert.equal(codes[2], 1, "one that ends early with 0 has not passed");
  const lasts = said.filter((text) => /^(ok|FAILED) \|/.test(text));
  assert.match(lasts[0]!, /^ok \| 1 passed \(0 steps\) \| 0 failed \(0m\d+s\)$/);
  assert.match(lasts[1]!, /^FAILED \| 1 passed \(0 steps\) \| 2 failed /);
  assert.ok(said.some((text) => / FAILURES \n\nit breaks => .*bad_test\.ts/.test(text)));
});

Deno.test("the last line is in the form that .ci/run reads", () => {
  const counts = { passed: 1720, steps: 292, failed: 1, ignored: 2 };
  assert.equal(
    lastLine(counts, 1, 3_458_000),
    "FAILED | 1720 passed (292 steps) | 1 failed | 2 ignored (57m38s)",
  );
});
