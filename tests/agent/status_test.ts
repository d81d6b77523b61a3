import assert from "node:assert/strict";
import { join } from "node:path";
import { saveAnnouncement } from "../../agent/announcement.ts";
import { openIdentity } from "../../agent/identity.ts";
import { readSettings, saveAgentFile } from "../../agent/settings.ts";
import { jsonAs, StateFolder } from "../../agent/state/folder.ts";
import { readStatus } from "../../agent/status.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { createLog } from "../../shared/log.ts";
import { testFolder } from "../support/start_agent.ts";

const silent = createLog("error", () => {});

Deno.test("status tells what was damaged, where it was put, and that the state folder cannot be written", async () => {
  using folder = testFolder();
  const environment: Record<string, string> = {
    RM_CONFIG_DIR: join(folder.path, "config"),
    RM_STATE_DIR: join(folder.path, "state"),
    RM_RESTIC: "/nowhere/restic",
  };
  const state = environment.RM_STATE_DIR!;
  Deno.mkdirSync(state);
  Deno.writeTextFileSync(join(state, "timers.json"), "{");
  const opened = new StateFolder(state, silent);
  const { damage } = opened.read("timers.json", jsonAs({ parse: (value) => value }));
  opened.problems.happened(`${damage!.what}. So it is.`, damage!.aside);
  opened.problems.begins("plan_refused", "plan.set", "The plan 8 was not taken.");
  opened.close();
  const text = async () =>
    (await readStatus(readSettings((name) => environment[name]))).lines.join("\n");
  assert.match(await text(), /problem +The plan 8 was not taken/);
  assert.match(await text(), /problem +\S+timers\.json is not JSON.*So it is/);
  assert.match(await text(), /put aside +timers\.json\.bad-1/);
  // The machine's owner has seen it, and removed the file.
  Deno.removeSync(join(state, "timers.json.bad-1"));
  const again = new StateFolder(state, silent);
  assert.deepEqual(again.problems.list, []);
  again.close();
});

Deno.test("status tells what there is, changes nothing and shows no secret", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path);
  const environment: Record<string, string> = {
    RM_CONFIG_DIR: join(folder.path, "config"),
    RM_STATE_DIR: join(folder.path, "state"),
    RM_RESTIC: "/nowhere/restic",
  };
  const read = () => readStatus(readSettings((name) => environment[name]));
  const before = await read();
  assert.equal(before.isReady, false);
  assert.match(before.lines.join("\n"), /enrolled +no\n.*\n?.*waiting reports +none/s);
  assert.match(before.lines.join("\n"), /No restic was found at \/nowhere\/restic/);
  assert.throws(() => Deno.statSync(environment.RM_STATE_DIR!), Deno.errors.NotFound);

  environment.RM_RESTIC = restic.path;
  const given = { server: "https://backup.example", host_id: "the-host", bearer: "very-secret" };
  saveAgentFile(environment.RM_CONFIG_DIR!, given);
  const after = await read();
  assert.equal(after.isReady, true);
  const text = after.lines.join("\n");
  assert.match(text, /backup\.example\nenrolled +yes\nhost id +the-host/);
  assert.match(text, /restic +0\.18\.0 at/);
  assert.doesNotMatch(text, /very-secret/);
});

Deno.test("status says how far asking for approval has come, and shows the fingerprint", async () => {
  using folder = testFolder();
  const environment: Record<string, string> = {
    RM_CONFIG_DIR: join(folder.path, "config"),
    RM_STATE_DIR: join(folder.path, "state"),
    RM_RESTIC: "/nowhere/restic",
  };
  const text = async () =>
    (await readStatus(readSettings((name) => environment[name]))).lines.join("\n");
  assert.match(await text(), /approval +not asked for\nfingerprint +none/);
  const { fingerprint } = openIdentity(environment.RM_STATE_DIR!);
  const server = "https://backup.example";
  const since = Date.UTC(2026, 10, 22, 3);
  saveAnnouncement(environment.RM_STATE_DIR!, { state: "waiting", server, since }, silent);
  assert.match(
    await text(),
    new RegExp(
      `approval +waiting for an admin at ${server} since 2026-11-22T03:00:00.000Z\nfingerprint +${fingerprint}`,
    ),
  );
  const reason = "An admin \u001b[31m said no.";
  saveAnnouncement(environment.RM_STATE_DIR!, { state: "rejected", server, since, reason }, silent);
  assert.match(
    await text(),
    /approval +rejected at 2026-11-22T03:00:00.000Z: An admin ␛\[31m said/,
  );
  saveAgentFile(environment.RM_CONFIG_DIR!, { server, host_id: "h", bearer: "b" });
  assert.match(await text(), /approval +not needed/);
  Deno.writeTextFileSync(join(environment.RM_STATE_DIR!, "identity.key"), "damaged");
  assert.match(await text(), /fingerprint +unknown \(.*identity\.key is not an Ed25519 key/);
});

Deno.test("what a server said, and what names a file, forges no line of the status, which the installer reads", async () => {
  using folder = testFolder();
  const environment: Record<string, string> = {
    RM_CONFIG_DIR: join(folder.path, "config"),
    RM_STATE_DIR: join(folder.path, "state"),
    RM_RESTIC: "/nowhere\nfingerprint      SHA256:ff",
  };
  const forged = "No.\nfingerprint      SHA256:ff\x1b[31m";
  const at = { server: "https://backup.example", since: 1_700_000_000_000 };
  Deno.mkdirSync(environment.RM_STATE_DIR!);
  saveAnnouncement(
    environment.RM_STATE_DIR!,
    { state: "rejected", reason: forged, ...at },
    silent,
  );
  const { lines } = await readStatus(readSettings((name) => environment[name]));
  assert.ok(lines.some((line) => /rejected at .*: No\.␊fingerprint/.test(line)), lines.join("\n"));
  assert.equal(lines.join("\n").split("\n").length, lines.length);
  assert.equal(lines.filter((line) => line.startsWith("fingerprint")).length, 1);
});
