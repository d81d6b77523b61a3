import assert from "node:assert/strict";
import { leaveOut } from "../support/left_out.ts";
import { faultPerRestic } from "../support/fault_per_restic.ts";
import { maintainedPair } from "../support/maintained_pair.ts";
import { missingRestServer, startRestServer } from "../support/rest_server.ts";

if (missingRestServer) leaveOut("F70", missingRestServer);
else {
  faultPerRestic({
    id: "F70",
    promise: "what an append-only server refused to remove is not told as removed",
    done: "forget with the repository credential on an append-only REST server",
    expected:
      "failed as append_only, all snapshots are still listed, the repository's health says so",
  }, async (restic, see) => {
    const folder = await Deno.makeTempDir({ prefix: "rm-rest-" });
    try {
      await using open = await startRestServer(folder);
      await using closed = await startRestServer(folder, true);
      const all = await maintainedPair(restic, `${closed.url}alpha/`);
      await using pair = all.pair;
      await all.backups(3);
      await all.keep({ keep_last: 1 });
      const refused = await pair.maintain(all.repositoryId, { kind: "forget" });
      assert.deepEqual(
        [refused.status, refused.reason_code],
        ["failed", "append_only"],
        refused.reason,
      );
      assert.match(refused.reason, /append-only/);
      see(refused.reason);
      assert.equal((await all.listed(`${open.url}alpha/`)).length, 3);
      const { tasks } = await pair.api("GET", `/api/repositories/${all.repositoryId}/maintenance`);
      assert.equal(tasks[0].last_run.status, "failed");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
