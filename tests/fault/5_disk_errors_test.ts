import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { leaveOut } from "../support/left_out.ts";
import { Fleet } from "../support/programs.ts";
import { attach, missingAttach } from "../support/strace.ts";
import { fault } from "../support/trial.ts";

const missing = await missingAttach();

const WAYS = [
  {
    id: "item 5, I/O error",
    error: "EIO",
    files: ["restic-manager.db", "restic-manager.db-wal"],
    calls: "pwrite64,write",
    reason: /its disk answers with errors/,
  },
  {
    id: "item 5, remounted read-only",
    error: "EROFS",
    files: ["restic-manager.db", "restic-manager.db-wal", "start.lock"],
    calls: "pwrite64,write,openat",
    reason: /can only be read/,
  },
  {
    id: "item 5, fdatasync fails",
    error: "EIO",
    files: ["restic-manager.db", "restic-manager.db-wal"],
    calls: "fdatasync,fsync",
    reason: /its disk answers with errors/,
  },
];

for (const { id, error, files, calls, reason } of WAYS) {
  const promise =
    "a disk that refuses each write stops changes with its reason, and no restart ends it";
  if (missing) {
    leaveOut(`${id}: ${promise}`, missing);
    continue;
  }
  fault({
    id,
    promise,
    done: `${calls} on the database of a running server fail with ${error}, then work again`,
    expected:
      "503 storage_cannot_write with the reason; pages are read with a banner; readyz 503, healthz 200; the same process saves again within seconds and the database is whole",
  }, async (see) => {
    await using fleet = await Fleet.start();
    const { pid } = fleet.server;
    const get = async (path: string) => {
      const response = await fleet.open(path);
      return { status: response.status, text: await response.text() };
    };
    let refused = "";
    {
      await using _broken = await attach(
        pid,
        [`trace=${calls}`, `inject=${calls}:error=${error}`],
        files.map((file) => join(fleet.dataDir, file)),
      );
      await eventually("readyz says so", async () => (await get("/readyz")).status === 503, 9000);
      await fleet.api("POST", "/api/tokens", { name: "x" }).catch((failed) =>
        refused = failed.message
      );
      assert.match(refused, /503.*storage_cannot_write/);
      assert.match(refused, reason);
      const page = await get("/");
      assert.equal(page.status, 200);
      assert.match(page.text, reason);
      const health = await get("/healthz");
      assert.equal(health.status, 200);
      assert.match(health.text, reason);
    }
    const began = performance.now();
    await eventually("it saves again", () => fleet.api("POST", "/api/tokens", { name: "y" }), 6000);
    see(`${refused.slice(0, 200)}; saved again after ${Math.round(performance.now() - began)} ms`);
    assert.equal(fleet.server.pid, pid);
    assert.equal((await get("/readyz")).status, 200);
    assert.ok(!(await get("/")).text.includes("Nothing can be saved"));
  });
}
