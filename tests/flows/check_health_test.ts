import assert from "node:assert/strict";
import { Fleet, runOnce } from "../support/programs.ts";

Deno.test("check-health tells whether the server answers", async () => {
  await using fleet = await Fleet.start();
  const env = { RM_DATA_DIR: fleet.dataDir, RM_LISTEN: fleet.url.replace("http://", "") };
  const up = await runOnce("server", ["check-health"], env);
  assert.deepEqual([up.code, up.stdout], [0, "ok\n"]);
  await fleet.server.end("SIGTERM");
  const down = await runOnce("server", ["check-health"], env);
  assert.equal(down.code, 1);
  assert.match(down.stderr, /does not answer/);
});
