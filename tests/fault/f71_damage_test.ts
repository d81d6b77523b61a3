import assert from "node:assert/strict";
import { join } from "node:path";
import { faultPerRestic } from "../support/fault_per_restic.ts";
import { maintainedPair } from "../support/maintained_pair.ts";

faultPerRestic({
  id: "F71",
  promise: "a check finds flipped bytes and says that the repository is damaged",
  done: "bytes in the middle of every pack are flipped; then a check that reads all data",
  expected: "succeeded before, failed as damaged afterwards, and the repository's health says so",
}, async (restic, see) => {
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(1);
  const path = `/api/repositories/${all.repositoryId}/maintenance`;
  await pair.api("PUT", path, {
    check: { enabled: true, cron: "0 4 * * 0", read_data_percent: 100 },
  });
  const good = await pair.maintain(all.repositoryId, { kind: "check" });
  assert.equal(good.status, "succeeded", good.reason);
  const data = join(all.repository, "data");
  for (const folder of Deno.readDirSync(data)) {
    for (const { name } of Deno.readDirSync(join(data, folder.name))) {
      const pack = join(data, folder.name, name);
      const bytes = Deno.readFileSync(pack);
      for (let at = 20; at < 28; at++) bytes[at] = bytes[at]! ^ 0xff;
      Deno.chmodSync(pack, 0o600);
      Deno.writeFileSync(pack, bytes);
    }
  }
  const bad = await pair.maintain(all.repositoryId, { kind: "check" });
  assert.deepEqual([bad.status, bad.reason_code], ["failed", "damaged"], bad.reason);
  const { tasks } = await pair.api("GET", path);
  const check = tasks.find((task: { kind: string }) => task.kind === "check");
  assert.equal(check.last_run.status, "failed");
  see(bad.reason);
});
