import assert from "node:assert/strict";
import { ProgressReader } from "../../../agent/restic/progress.ts";
import { Progress } from "../../../shared/job.ts";

Deno.test("the first status always passes, then one a second", () => {
  let now = 5;
  const reader = new ProgressReader(() => now);
  assert.ok(reader.read({ percent_done: 0 }));
  let passed = 0;
  for (let i = 1; i <= 600; i++) {
    now = 5 + i * 1000 / 60;
    if (reader.read({ percent_done: 0.5 })) passed++;
  }
  assert.ok(passed >= 9 && passed <= 10, `${passed} passed in ten seconds`);
});

Deno.test("a status becomes percent, counts and speed", () => {
  let now = 0;
  const reader = new ProgressReader(() => now);
  reader.read({ bytes_done: 1000 });
  now = 2000;
  const progress = reader.read({
    percent_done: 0.25,
    total_files: 8,
    files_done: 2,
    total_bytes: 12_000,
    bytes_done: 3000,
    seconds_elapsed: 2,
    seconds_remaining: 6,
    current_files: ["/a", "/b"],
  });
  assert.deepEqual(progress, {
    percent: 25,
    files_done: 2,
    files_total: 8,
    bytes_done: 3000,
    bytes_total: 12_000,
    bytes_per_second: 1000,
    seconds_elapsed: 2,
    seconds_remaining: 6,
    current_path: "/a",
  });
});

Deno.test("a status that makes no sense is still one that the server accepts", () => {
  const reader = new ProgressReader();
  const odd = { percent_done: 7, total_files: -1, bytes_done: "x", current_files: [5] };
  assert.ok(Progress.parse(reader.read(odd)));
});
