import assert from "node:assert/strict";
import { join } from "node:path";
import { RealPair } from "../support/real_pair.ts";
import { restics } from "../support/restic.ts";

for (const restic of restics) {
  Deno.test(`initialising anew touches nothing that is there, and makes a repository where it was cleared by hand (restic ${restic.version})`, async () => {
    await using pair = await RealPair.start();
    const repository = join(pair.folder, "repository");
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository: { url: repository, is_new: true },
      paths: ["/etc/hostname"],
    });
    assert.equal((await pair.backup(host)).status, "succeeded");
    const path = `/api/hosts/${host.hostId}/repo/reinit`;
    const wrong = await pair.test.api("alice", "POST", path, { confirm_hostname: "Alpha" });
    assert.deepEqual([wrong.status, wrong.body.error.code, wrong.body.error.field], [
      400,
      "name_mismatch",
      "confirm_hostname",
    ]);
    assert.equal(
      (await pair.test.api("olive", "POST", path, { confirm_hostname: "alpha" })).status,
      403,
    );
    const refused = await pair.ended(
      (await pair.api("POST", path, { confirm_hostname: "alpha" })).job_id,
    );
    assert.deepEqual([refused.status, refused.reason_code], ["failed", "holds_data"]);
    assert.match((await pair.texts(refused.id)).at(-1)!, /cleared by hand first/);
    assert.equal((await pair.backup(host)).status, "succeeded");
    await Deno.remove(repository, { recursive: true });
    const made = await pair.ended(
      (await pair.api("POST", path, { confirm_hostname: "alpha" })).job_id,
    );
    assert.equal(made.status, "succeeded", made.reason);
    assert.equal((await pair.backup(host)).status, "succeeded");
  });
}
