// The repository's server sleeps unless a pre hook wakes it: real restics, a real REST server.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { REPOSITORY_ID } from "../../support/fake_server.ts";
import { hookedAgent } from "../../support/hooked_agent.ts";
import { freePort } from "../../support/programs.ts";
import { testUnless } from "../../support/left_out.ts";
import { missingRestServer, REST_SERVER } from "../../support/rest_server.ts";
import { placeRepository, restics } from "../../support/restic.ts";
import { access, order, testFolder } from "../../support/start_agent.ts";

for (const restic of restics) {
  testUnless(
    missingRestServer,
    `restic ${restic.version}: after a cancelled backup the next one wakes the server first, unlocks, and succeeds`,
    async () => {
      using folder = testFolder();
      const repository = join(folder.path, "served");
      await placeRepository(restic, repository);
      const source = join(folder.path, "source");
      Deno.mkdirSync(source);
      const data = new Uint8Array(30_000_000);
      for (let at = 0; at < data.length; at += 65_536) {
        crypto.getRandomValues(data.subarray(at, at + 65_536));
      }
      Deno.writeFileSync(join(source, "noise"), data);
      const address = `127.0.0.1:${freePort()}`;
      const pid = join(folder.path, "pid");
      const serve = `'${REST_SERVER}' --path '${repository}' --listen ${address} --no-auth`;
      const hooks = {
        pre_hook: `#!/bin/bash
setsid ${serve} >/dev/null 2>&1 </dev/null & echo $! > '${pid}'
until (exec 3<>/dev/tcp/127.0.0.1/${address.split(":")[1]}) 2>/dev/null; do sleep 0.05; done
echo awake`,
        post_hook: `kill $(cat '${pid}'); rm '${pid}'; echo "$RM_JOB_STATUS $RM_JOB_REASON"`,
      };
      const config = { repository: access(`rest:http://${address}/`) };
      await using all = await hookedAgent({}, { config, restic: restic.path });
      const source_group = { ...order([source]), hooks: { timeout_seconds: 60, ...hooks } };
      const cancelled = all.begin({}, { source_group, bandwidth_up_kib_per_s: 500 });
      await eventually(
        "the repository is locked",
        () => [...Deno.readDirSync(join(repository, "locks"))].length > 0,
        20_000,
      );
      all.server.send({ type: "command.cancel", job_id: cancelled });
      assert.equal((await all.server.finished(cancelled, 60_000)).status, "cancelled");
      assert.equal(all.printed(cancelled).at(-1), "failed Cancelled.");
      // restic may have removed its lock in time; the agent looks for it all the same.
      assert.ok(all.agent.ledger.mayHoldLock(REPOSITORY_ID));
      const end = await all.run({}, { source_group });
      assert.equal(end.status, "succeeded", end.reason ?? "");
      const texts = all.server.texts(end.job_id);
      const at = [/^hook: awake/, /: unlock/, /: backup /, /^hook: succeeded/].map((pattern) =>
        texts.findIndex((text) => pattern.test(text))
      );
      assert.ok(
        at[0]! >= 0 && at.every((each, n) => n === 0 || each > at[n - 1]!),
        texts.join("\n"),
      );
      assert.equal(all.agent.ledger.mayHoldLock(REPOSITORY_ID), false);
    },
  );
}
