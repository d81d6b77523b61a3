// A pinned snapshot and the real restic: a forget leaves it there until it is unpinned; one that is deleted is gone from the repository.
import assert from "node:assert/strict";
import { maintainedPair } from "../support/maintained_pair.ts";
import { restics } from "../support/restic.ts";

for (const restic of restics) {
  Deno.test(`a pinned snapshot stays through forget and prune, one that is deleted goes alone (restic ${restic.version})`, async () => {
    const { pair, host, backups, keep, listed, repositoryId } = await maintainedPair(restic);
    await using _ = pair;
    await pair.api("PUT", `/api/repositories/${repositoryId}/admin-credential`, { everyday: true });
    await pair.name(host);
    await backups(4);
    const items = async () => (await pair.api("GET", "/api/snapshots")).items;
    const there = async () => (await listed()).map(({ id }) => id);
    const [newest, third, second, first] = (await items()).map(({ id }: { id: string }) => id);
    assert.deepEqual(new Set(await there()), new Set([newest, third, second, first]));
    for (const item of await items()) {
      assert.deepEqual([item.files, item.incomplete, item.ours, typeof item.seconds], [
        1,
        false,
        true,
        "number",
      ]);
    }
    await pair.api("PUT", `/api/snapshots/${first}/pin`, { reason: "before the upgrade" });
    await keep({ keep_last: 2 });
    for (const kind of ["forget", "prune", "forget"]) {
      const job = await pair.maintain(repositoryId, { kind });
      assert.equal(job.status, "succeeded", job.reason);
    }
    assert.deepEqual(new Set(await there()), new Set([newest, third, first]));
    // Its content is there too.
    const tree = await pair.api("GET", `/api/snapshots/${first}/tree?path=/`);
    assert.equal(tree.items.length, 1);

    const refused = await pair.test.api("alice", "DELETE", `/api/snapshots/${first}`, {
      confirm_id: first.slice(0, 8),
    });
    assert.equal(refused.status, 409);
    const deleted = await pair.api("DELETE", `/api/snapshots/${third}`, {
      confirm_id: third.slice(0, 8),
    });
    const job = await pair.ended(deleted.job_id);
    assert.equal(job.status, "succeeded", job.reason);
    assert.deepEqual(new Set(await there()), new Set([newest, first]));
    assert.deepEqual((await items()).map(({ id }: { id: string }) => id), [newest, first]);

    await pair.api("DELETE", `/api/snapshots/${first}/pin`);
    await backups(2);
    assert.equal((await pair.maintain(repositoryId, { kind: "forget" })).status, "succeeded");
    assert.ok(!(await there()).includes(first));
  });
}
