import assert from "node:assert/strict";
import { join } from "node:path";
import { leaveOut } from "../support/left_out.ts";
import { Fleet } from "../support/programs.ts";
import { attach, missingAttach } from "../support/strace.ts";
import { fault } from "../support/trial.ts";

const promise = "a disk that takes half a second for each fsync makes changes slow, and pages not";
const missing = await missingAttach();
if (missing) leaveOut(`F37: ${promise}`, missing);
else {
  fault({
    id: "F37",
    promise,
    done:
      "each fsync of the running server's files takes 500 ms; 8 changes come while the dashboard is read over and over",
    expected: "all changes are stored; half of the pages come within 100 ms, each within 1.5 s",
  }, async (see) => {
    await using fleet = await Fleet.start();
    const files = ["restic-manager.db", "restic-manager.db-wal", "audit-head.json.new"];
    const waits: number[] = [];
    await using _slow = await attach(
      fleet.server.pid,
      ["trace=fdatasync,fsync", "inject=fdatasync,fsync:delay_enter=500000"],
      files.map((file) => join(fleet.dataDir, file)),
    );
    let isOver = false;
    const began = performance.now();
    const changes = Promise.all(
      Array.from({ length: 8 }, (_, n) => fleet.api("POST", "/api/tokens", { name: `slow ${n}` })),
    ).finally(() => isOver = true);
    while (!isOver) {
      const at = performance.now();
      await (await fleet.open("/")).body?.cancel();
      waits.push(performance.now() - at);
    }
    await changes;
    const took = performance.now() - began;
    const sorted = waits.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)]!;
    see(
      `8 changes in ${Math.round(took)} ms; ${waits.length} pages, the middle one ${
        middle.toFixed(1)
      } ms, the slowest ${Math.round(sorted.at(-1)!)} ms`,
    );
    // The disk was slow, or nothing was shown.
    assert.ok(took > 500);
    assert.ok(middle < 100);
    assert.ok(sorted.at(-1)! < 1500);
  });
}
