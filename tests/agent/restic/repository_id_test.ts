// Which repository is at the address, with the real restics.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseRepositoryUrl } from "../../../shared/repository_url.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { placeRepository, type RealRestic, resticByHand, restics } from "../../support/restic.ts";
import { access, jobId, order, startAgent, testFolder } from "../../support/start_agent.ts";

async function setUp(restic: RealRestic) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const repository = join(folder, "repository");
  const source = join(folder, "source");
  Deno.mkdirSync(source);
  Deno.writeTextFileSync(join(source, "a file"), "content");
  const server = stack.use(new FakeServer({ config: { repository: access(repository) } }));
  stack.use(await startAgent(server, { directory: folder, restic: restic.path }));
  const run = async (job: Partial<Parameters<FakeServer["run"]>[0]>) => {
    const job_id = jobId();
    server.run({ job_id, ...job });
    const end = await server.finished(job_id);
    return { ...end, texts: server.texts(job_id) };
  };
  const id = async () =>
    JSON.parse(await resticByHand(restic, repository, ["cat", "config"])).id as string;
  const address = parseRepositoryUrl(repository).normalised;
  return Object.assign(stack.move(), { folder, repository, source, server, run, id, address });
}

for (const restic of restics) {
  Deno.test(`the id is reported when a repository is made, opened and backed up to, restic ${restic.version}`, async () => {
    await using all = await setUp(restic);
    const made = await all.run({ kind: "init", may_create: true });
    const opened = { restic_id: await all.id(), address: all.address };
    assert.deepEqual([made.created, made.opened], [true, opened]);
    const found = await all.run({ kind: "init" });
    assert.deepEqual([found.created, found.opened], [false, opened]);
    const backup = await all.run({ source_group: order([all.source]) });
    assert.deepEqual(backup.opened, opened);
    // It costs a backup no further start of restic.
    assert.ok(!backup.texts.some((text) => text.includes("cat config")));
  });

  Deno.test(`another repository at the address is not touched by what it was not meant for, restic ${restic.version}`, async () => {
    await using all = await setUp(restic);
    await placeRepository(restic, all.repository);
    const before = await all.id();
    const [forget] = [{
      forget: [{
        source_group_id: null,
        tag: "default",
        host: "alpha",
        retention: { keep_last: 1 },
        snapshots: [],
      }],
    }];
    const checked = await all.run({ kind: "check", restic_id: before });
    assert.equal(checked.status, "succeeded", checked.reason ?? "");
    assert.equal(checked.opened?.restic_id, before);
    // Another one takes its place, with the same password.
    await Deno.rename(all.repository, `${all.repository}-before`);
    await resticByHand(restic, all.repository, ["init"]);
    const now = await all.id();
    for (
      const job of [
        { kind: "check" as const },
        { kind: "forget" as const, ...forget },
        { kind: "prune" as const, admin_access: access(all.repository) },
        { kind: "init" as const, may_create: true },
      ]
    ) {
      const end = await all.run({ ...job, restic_id: before });
      assert.deepEqual([end.status, end.reason_code], ["failed", "repository_changed"], job.kind);
      assert.match(
        end.reason!,
        new RegExp(`its id is ${now.slice(0, 8)} and was ${before.slice(0, 8)}`),
      );
      assert.equal(end.opened?.restic_id, now);
      assert.ok(!end.texts.some((text) => new RegExp(`: ${job.kind}( |$)`).test(text)), job.kind);
    }
    const backup = await all.run({ source_group: order([all.source]) });
    assert.deepEqual([backup.status, backup.opened?.restic_id], ["succeeded", now]);
  });
}
