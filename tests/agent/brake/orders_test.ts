// Every way on which an order reaches restic or a shell, with a restic that writes down each start.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Brake, NO_BRAKE } from "../../../agent/brake/brake.ts";
import { REFUSED_BY_MACHINE } from "../../../shared/job.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../../support/fake_restic.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { access, jobId, order, startAgent, testFolder } from "../../support/start_agent.ts";
import type { RepositoryAccess } from "../../../shared/repository_access.ts";
import { JOB_KINDS, type JobKind } from "../../../shared/job_kinds/all.ts";
import type { AnyOrder } from "../../support/any_order.ts";

async function braked(
  brake: (folder: string) => Partial<Brake>,
  more: Partial<RepositoryAccess> = {},
) {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(testFolder());
  const folder = Deno.realPathSync(path);
  Deno.mkdirSync(join(folder, "files"));
  const restic = new FakeRestic(folder, { verbs: { backup: SUMMARY, snapshots: LISTED } });
  const repository = access(join(folder, "repository"), more);
  const server = stack.use(new FakeServer({ config: { repository } }));
  const clock = { time: Date.parse("2026-11-22T12:00:00Z") };
  const { agent, logged } = stack.use(
    await startAgent(server, {
      directory: folder,
      restic: restic.path,
      brake: { ...NO_BRAKE, ...brake(folder) },
      clock: { now: () => clock.time, elapsed: () => clock.time, catchUpWithinMs: 0, lookMs: 20 },
    }),
  );
  const run = async (order: Partial<AnyOrder>) => {
    const job_id = jobId();
    server.run({ job_id, ...order });
    return await server.finished(job_id, 20_000);
  };
  return Object.assign(stack.move(), {
    folder,
    restic,
    repository,
    server,
    agent,
    logged,
    run,
    clock,
  });
}

const hooks = (text: string) => ({ pre_hook: text, timeout_seconds: 60 });

Deno.test("no kind of order reaches a repository that the owner did not name, with either credential", async (t) => {
  await using all = await braked(() => ({ repositories: ["/srv/elsewhere", "rest:*"] }));
  const { folder, repository } = all;
  const kinds = JOB_KINDS.filter((kind) => kind !== "hook");
  for (const kind of kinds) {
    for (const admin_access of [undefined, repository]) {
      await t.step(`${kind}${admin_access ? " with the admin credential" : ""}`, async () => {
        const end = await all.run({
          kind: kind as JobKind,
          source_group: { ...order([folder]), hooks: hooks(`touch ${folder}/ran`) },
          may_create: true,
          forget: [],
          ...(admin_access ? { admin_access } : {}),
        });
        assert.deepEqual(
          [end.status, end.reason_code],
          ["failed", REFUSED_BY_MACHINE],
          end.reason ?? "",
        );
        assert.match(
          end.reason!,
          /none of the repositories that are allowed \(repositories: \/srv\/elsewhere, rest:\*\)/,
        );
      });
    }
  }
  assert.deepEqual(all.restic.starts, []);
  assert.throws(() => Deno.statSync(`${folder}/ran`), Deno.errors.NotFound);
  assert.ok(
    all.logged.filter((line) => /Refused by the owner/.test(line)).length >= kinds.length * 2,
  );
});

Deno.test("an admin credential for another place than the everyday one, or an empty list, opens nothing", async () => {
  await using all = await braked((folder) => ({ repositories: [`${folder}/repository`] }));
  const elsewhere = access(`${all.folder}/other`);
  const end = await all.run({ kind: "prune", admin_access: elsewhere });
  assert.equal(end.reason_code, REFUSED_BY_MACHINE, end.reason ?? "");
  await using none = await braked(() => ({ repositories: [] }));
  const { reason_code, reason } = await none.run({ kind: "stats" });
  assert.equal(reason_code, REFUSED_BY_MACHINE);
  assert.match(reason!, /repositories: none/);
});

Deno.test("where an address does not name the storage, the environment that does is held against the list too", async () => {
  const swift = (url: string) => ({ url: "swift:backup:/", environment: { OS_AUTH_URL: url } });
  const list = () => ({
    repositories: ["swift:backup:*", "OS_AUTH_URL=https://keystone.example.org/*"],
  });
  await using evil = await braked(list, swift("https://keystone.example.org.evil.example/v3"));
  const refused = await evil.run({ kind: "stats" });
  assert.equal(refused.reason_code, REFUSED_BY_MACHINE);
  assert.match(refused.reason!, /^.*OS_AUTH_URL=https:\/\/keystone\.example\.org\.evil/);
  await using good = await braked(list, swift("https://keystone.example.org/v3"));
  assert.notEqual((await good.run({ kind: "stats" })).reason_code, REFUSED_BY_MACHINE);
});

Deno.test("without hooks a backup that has one fails and none is run, a hook alone is refused, and a plain backup is made", async () => {
  await using all = await braked(() => ({ allowHooks: false }));
  const ran = `${all.folder}/ran`;
  const group = order([join(all.folder, "files")]);
  for (
    const each of [hooks(`touch ${ran}`), { post_hook: `touch ${ran}`, timeout_seconds: 60 }, {
      cannot_decrypt: "pre_hook" as const,
      timeout_seconds: 60,
    }]
  ) {
    const end = await all.run({ source_group: { ...group, hooks: each } });
    assert.equal(end.reason_code, REFUSED_BY_MACHINE, end.reason ?? "");
    assert.match(end.reason!, /without its (pre|post)_hook/);
  }
  const alone = await all.run({
    kind: "hook",
    hook: { name: "pre_hook", hooks: hooks(`touch ${ran}`), source_group_name: null },
  });
  assert.equal(alone.reason_code, REFUSED_BY_MACHINE);
  assert.deepEqual(all.restic.starts, []);
  assert.throws(() => Deno.statSync(ran), Deno.errors.NotFound);
  const plain = await all.run({ source_group: { ...group, hooks: { timeout_seconds: 60 } } });
  assert.equal(plain.status, "succeeded", plain.reason ?? "");
});

Deno.test("the plan's own clock is no way round it, and what is refused is not tried again", async () => {
  await using all = await braked(() => ({ roots: [] }));
  const id = "55555555-5555-4555-8555-555555555555";
  all.server.send({
    type: "plan.set",
    plan_version: 2,
    schedules: [{ id, cron: "0 13 * * *", time_zone: "UTC", source_group_ids: [id] }],
    source_groups: [{ ...order(["/etc"]), id, retry_max: 3, retry_backoff_seconds: 1 }],
  });
  await eventually("the plan is there", () => all.agent.plan.version === 2);
  all.clock.time = Date.parse("2026-11-22T13:00:01Z");
  const end = await eventually("the run is refused", () => all.server.of("job.finished")[0]);
  assert.equal(end.reason_code, REFUSED_BY_MACHINE, end.reason ?? "");
  assert.match(end.reason!, /\/etc lies outside .*roots: none/);
  assert.ok(!all.server.texts(end.job_id).some((text) => /This was try/.test(text)));
  assert.deepEqual(all.restic.starts, []);
});

Deno.test("a pre hook that puts a link where a folder was gains nothing by it", async () => {
  await using all = await braked((folder) => ({ roots: [join(folder, "files")] }));
  const at = join(all.folder, "files/docs");
  Deno.mkdirSync(at);
  const end = await all.run({
    source_group: { ...order([at]), hooks: hooks(`rmdir '${at}'; ln -s /etc '${at}'`) },
  });
  assert.equal(end.reason_code, REFUSED_BY_MACHINE, end.reason ?? "");
  assert.deepEqual(all.restic.starts, []);
});

Deno.test("files that an access names are read within the roots or beside agent.yaml only", async () => {
  const file = (path: string) => ({ environment: { RCLONE_CONFIG: path } });
  const roots = (folder: string) => ({ roots: [join(folder, "files")] });
  await using all = await braked(roots, file("/etc/passwd"));
  const end = await all.run({ kind: "stats" });
  assert.equal(end.reason_code, REFUSED_BY_MACHINE);
  assert.match(end.reason!, /RCLONE_CONFIG: \/etc\/passwd lies outside/);
});

Deno.test("the post hook that an earlier agent still owed is not run once the owner allows no hooks", async () => {
  using folder = testFolder();
  const ran = join(folder.path, "ran");
  const restic = new FakeRestic(folder.path, { verbs: { backup: "sleep 60", snapshots: LISTED } });
  const server = new FakeServer({
    config: { repository: access(join(folder.path, "repository")) },
  });
  await using _ = server;
  const group = {
    ...order([folder.path]),
    retry_max: 0,
    retry_backoff_seconds: 60,
    hooks: { post_hook: `touch ${ran}`, timeout_seconds: 60 },
  };
  server.plan = {
    type: "plan.set",
    plan_version: 1,
    schedules: [],
    source_groups: [group],
  };
  const job_id = jobId();
  const ledger = join(folder.path, "state/jobs.json");
  {
    const first = await startAgent(server, { directory: folder.path, restic: restic.path });
    server.run({ job_id, source_group: group });
    await eventually("restic runs", () => restic.starts.length > 0);
    Deno.copyFileSync(ledger, `${ledger}.killed`);
    server.acknowledges = false;
    await first.agent.stop();
  }
  Deno.removeSync(ran);
  // As if it had been killed in the midst of it.
  Deno.renameSync(`${ledger}.killed`, ledger);
  Deno.removeSync(join(folder.path, "state/journal"), { recursive: true });
  server.messages.length = 0;
  server.acknowledges = true;
  await using again = await startAgent(server, {
    directory: folder.path,
    restic: restic.path,
    brake: { ...NO_BRAKE, allowHooks: false },
  });
  const end = await server.finished(job_id, 20_000);
  assert.match(end.reason!, /post_hook was not run: the owner of this machine allows no hooks/);
  assert.throws(() => Deno.statSync(ran), Deno.errors.NotFound);
  assert.equal(again.agent.brake.allowHooks, false);
  assert.equal((await server.hello()).brakes?.allow_hooks, false);
});
