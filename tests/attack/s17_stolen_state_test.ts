import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { postForm, signIn } from "../support/browser_session.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    files.push(...entry.isDirectory ? [path, ...await filesBelow(path)] : [path]);
  }
  return files;
}

attack({
  id: "S17",
  promise:
    "a stolen state folder gives nothing without its key, and the host is shut out at one click",
  done:
    "the state of a real agent is copied without agent.yaml and searched for secrets; its modes are looked at; the bearer of the whole copy is used elsewhere; an admin deletes the host on its page (promise 3 has the two machines at once)",
  expected:
    "0600 and 0700; no secret in the state alone; both connections closed within a second, the bearer dead, and its number never given again",
}, async (see) => {
  await using pair = await RealPair.start();
  const source = join(pair.folder, "files");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "a"), "content");
  const password = "repository-password-canary-17";
  const host = await pair.join("alpha", {
    restic: anyRestic()!.path,
    repository: { url: join(pair.folder, "repository"), password, is_new: true },
    paths: [source],
  });
  const state = join(pair.folder, "alpha", "state");
  const folders = [state, ...await filesBelow(state)];
  const open = folders.filter((path) => (Deno.lstatSync(path).mode! & 0o077) !== 0)
    // What lies in a folder that nobody else may enter is restic's own affair.
    .filter((path) => !path.includes("/cache/"));
  assert.deepEqual(open, []);
  const secrets = [password, host.bearer];
  const leaks = folders.filter((path) => Deno.lstatSync(path).isFile).filter((path) => {
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    return secrets.some((secret) => text.includes(secret));
  });
  see(
    `${folders.length} files and folders of the state, open to others: 0, with a secret: ${leaks.length}`,
  );
  assert.deepEqual(leaks, []);

  const thief = await FakeAgent.dial(pair.test.url, host.bearer);
  thief.hello({ instance: "f".repeat(32) });
  await thief.next("plan.set");
  const { cookie } = await signIn(pair.test, "alice");
  const began = performance.now();
  const deleted = await postForm(pair.test, `/hosts/${host.hostId}/delete`, {
    confirm_name: "alpha",
    snapshots: "keep",
  }, cookie);
  assert.equal(deleted.status, 303, deleted.text);
  // The agent that was there first may have come back before; then the thief's is closed already.
  const closed = await thief.untilClosed();
  const within = Math.round(performance.now() - began);
  await assert.rejects(FakeAgent.dial(pair.test.url, host.bearer), "the bearer is dead");
  await eventually(
    "the real agent hears it",
    () => host.logged.some((line) => line.includes("does not know this host any more")),
    10_000,
  );
  const again = await pair.test.api("alice", "GET", `/api/hosts/${host.hostId}`);
  see(`closed with ${closed.code} after ${within} ms; the host's page: ${again.status}`);
  assert.ok([4001, 4003].includes(closed.code));
  assert.ok(within < 1000);
  assert.equal(again.status, 404);
});
