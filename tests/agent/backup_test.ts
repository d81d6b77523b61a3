// Whole jobs with the real restics, old and new.
import assert from "node:assert/strict";
import { join } from "node:path";
import { FakeServer } from "../support/fake_server.ts";
import { restics } from "../support/restic.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";

for (const restic of restics) {
  Deno.test(`a repository is made and a folder is backed up with restic ${restic.version}`, async () => {
    using folder = testFolder();
    const repository = join(folder.path, "repository");
    const source = join(folder.path, "source");
    Deno.mkdirSync(source);
    Deno.writeTextFileSync(join(source, "a file"), "content");
    await using server = new FakeServer({ config: { repository: access(repository) } });
    await using _agent = await startAgent(server, { directory: folder.path, restic: restic.path });

    const [make, save] = [jobId(), jobId()];
    server.run({ job_id: make, kind: "init", may_create: true });
    server.run({ job_id: save, source_group: order([source]) });

    const made = await server.finished(make);
    assert.equal(made.status, "succeeded", made.reason ?? "");
    assert.equal(made.created, true);
    const saved = await server.finished(save);
    assert.equal(saved.status, "succeeded", saved.reason ?? "");
    assert.equal(saved.summary?.files_new, 1);
    assert.equal(saved.warnings, 0);
    const story = server.story(save);
    assert.equal(story[0], "job.started");
    assert.equal(story.at(-1), "job.finished");
    const list = server.of("snapshots.report").at(-1);
    assert.deepEqual(list?.snapshots.map(({ id }) => id), [saved.summary?.snapshot_id]);
    assert.deepEqual(list?.snapshots[0]?.tags, ["documents"]);
    assert.equal(list?.snapshots[0]?.hostname, "alpha");
  });
}
