import assert from "node:assert/strict";
import { join } from "node:path";
import { type Brake, NO_BRAKE } from "../../agent/brake/brake.ts";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { type RealHost, RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";
import { testHook } from "../../server/jobs/test_hook.ts";

/** The real server and a real agent whose owner allows backups of `files` to `repository`, and no more. */
async function owned(more: (folder: string) => Partial<Brake> = () => ({})) {
  const pair = await RealPair.start();
  const at = (...names: string[]) => join(pair.folder, ...names);
  for (const name of ["files/docs", "secret"]) await Deno.mkdir(at(name), { recursive: true });
  for (const name of ["files/docs/a", "secret/b"]) await Deno.writeTextFile(at(name), "content");
  await Deno.symlink(at("secret"), at("files/out"));
  const brake = {
    ...NO_BRAKE,
    allowHooks: false,
    allowRestoreInPlace: false,
    roots: [at("files")],
    repositories: [`${pair.folder}/repository`],
    ...more(pair.folder),
  };
  const host = await pair.join("alpha", {
    restic: anyRestic()!.path,
    repository: { url: at("repository"), password: "a long password", is_new: true },
    paths: [at("files/docs")],
    brake,
  });
  return { pair, host, at, brake };
}

const refusals = (host: RealHost) =>
  host.logged.filter((line) => /Refused by the owner of this machine/.test(line)).length;

attack({
  id: "promise 5",
  promise:
    "what the machine's owner does not allow is not run, whoever orders it, and both sides say so",
  done:
    "an admin orders backups outside of the roots (also by a link and by ..), with hooks, a hook alone, and by a schedule",
  expected:
    "refused_by_machine for each, before anything runs; the backup that is allowed succeeds",
}, async (see) => {
  const { pair, host, at } = await owned();
  await using _ = pair;
  const groups = `/api/hosts/${host.hostId}/source-groups`;
  const [group] = (await pair.api("GET", groups)).items;
  const marker = at("hook-ran");
  const change = (more: Record<string, unknown>) =>
    pair.api("PUT", `${groups}/${group.id}`, {
      name: group.name,
      includes: [at("files/docs")],
      ...more,
    });
  const good = await pair.backup(host);
  const seen: string[] = [];
  const tries: [string, Record<string, unknown>][] = [
    ["outside", { includes: ["/etc"] }],
    ["above", { includes: [pair.folder] }],
    ["one of two", { includes: [at("files/docs"), at("secret")] }],
    ["by a link", { includes: [at("files/out")] }],
    ["below a link", { includes: [at("files/out/b")] }],
    ["by ..", { includes: [`${pair.folder}/files/../secret`] }],
    ["pre hook", { pre_hook: `touch ${marker}` }],
    ["post hook", { pre_hook: "", post_hook: `touch ${marker}` }],
  ];
  for (const [what, more] of tries) {
    await change(more);
    const job = await pair.backup(host);
    seen.push(`${what}: ${job.status} ${job.reason_code}`);
    assert.equal(job.reason_code, "refused_by_machine", `${what}: ${job.reason}`);
    assert.match(job.reason, /owner of this machine/);
  }
  await change({ pre_hook: `touch ${marker}`, post_hook: "" });
  const { server } = pair.test;
  const alone = { hook: "pre_hook" as const, source_group_id: group.id };
  const hookJob = await pair.ended(
    await testHook(server, pair.test.actor("alice"), host.hostId, alone),
  );
  seen.push(`hook alone: ${hookJob.reason_code}`);
  assert.equal(hookJob.reason_code, "refused_by_machine");
  const listed = await pair.api("GET", `/api/hosts/${host.hostId}/snapshots`);
  const shown = await pair.api("GET", `/api/hosts/${host.hostId}`);
  await eventually("the agent's log has them all", () => refusals(host) >= seen.length);
  see(
    `allowed: ${good.status}; ${seen.join("; ")}; ${listed.items.length} snapshot; reported ${
      JSON.stringify(shown.brakes.allow_hooks)
    }`,
  );
  assert.equal(good.status, "succeeded", good.reason);
  assert.equal(listed.items.length, 1);
  assert.equal(shown.brakes.allow_hooks, false);
  await assert.rejects(Deno.stat(marker), Deno.errors.NotFound);
});

attack({
  id: "promise 5",
  promise: "an agent reaches no repository that its machine's owner did not name",
  done:
    "an admin binds the host to another repository, then orders init, backup, check, unlock, stats, prune and forget there",
  expected: "refused_by_machine for each, and nothing is made at the other place",
}, async (see) => {
  const { pair, host, at } = await owned();
  await using _ = pair;
  const other = await pair.api("POST", "/api/repositories", {
    name: "other",
    url: at("repository2"),
    password: "a long password",
    is_new: true,
  });
  await pair.api("PATCH", `/api/hosts/${host.hostId}`, { repository_id: other.id });
  const init = await eventually("init has ended", async () => {
    const { items } = await pair.api("GET", `/api/jobs?host=${host.hostId}&kind=init`);
    return items.find((job: { repository_id: string; finished_at: unknown }) =>
      job.repository_id === other.id && job.finished_at
    );
  });
  const codes = [`init ${init.reason_code}`];
  for (const kind of ["backup", "unlock", "stats", "init"]) {
    const { job_id } = await pair.api("POST", `/api/hosts/${host.hostId}/jobs`, { kind });
    codes.push(`${kind} ${(await pair.ended(job_id)).reason_code}`);
  }
  for (const kind of ["check"]) {
    codes.push(`${kind} ${(await pair.maintain(other.id, { kind })).reason_code}`);
  }
  const isThere = await Deno.stat(at("repository2")).then(() => true, () => false);
  see(`${codes.join("; ")}; other place made: ${isThere}`);
  for (const code of codes) assert.match(code, /refused_by_machine$/);
  assert.ok(!isThere);
});
