// What an admin gives for the way to a repository: a certificate authority, options, files on the host.
import assert from "node:assert/strict";
import { join } from "node:path";
import { ownEnvironment } from "../../../agent/restic/environment.ts";
import { selfSigned } from "../../support/certificate.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../../support/fake_restic.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { freePort } from "../../support/programs.ts";
import { restics } from "../../support/restic.ts";
import { access, jobId, order, startAgent, testFolder } from "../../support/start_agent.ts";

const REST_SERVER = join(Deno.env.get("HOME") ?? "/root", ".cache/rest-server/rest-server");

async function setUp(restic: string, folder: string, url: string, more: Record<string, unknown>) {
  await using stack = new AsyncDisposableStack();
  const repository = access(url, more);
  const server = stack.use(new FakeServer({ config: { repository } }));
  stack.use(await startAgent(server, { directory: folder, restic, timeouts: { contactMs: 4000 } }));
  const run = async (job: Record<string, unknown>) => {
    const job_id = jobId();
    server.run({ job_id, ...job });
    return { ...await server.finished(job_id), texts: server.texts(job_id) };
  };
  return Object.assign(stack.move(), { run });
}

async function startTls(folder: string): Promise<{ url: string; cert: string } & AsyncDisposable> {
  const made = selfSigned(folder)!;
  const port = freePort();
  const child = new Deno.Command(REST_SERVER, {
    args: [
      ...["--path", join(folder, "served"), "--listen", `127.0.0.1:${port}`, "--no-auth", "--tls"],
      ...["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem")],
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await eventually("rest-server listens", async () => {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  });
  return {
    url: `rest:https://127.0.0.1:${port}/r/`,
    cert: made.cert,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.status;
    },
  };
}

for (const restic of restics) {
  Deno.test(`with its certificate authority a storage of one's own opens, and without it does not (restic ${restic.version})`, async () => {
    using folder = testFolder();
    await using storage = await startTls(folder.path);
    {
      await using without = await setUp(restic.path, folder.path, storage.url, {});
      const end = await without.run({ kind: "init", may_create: true });
      assert.equal(end.status, "failed");
      assert.match(end.reason ?? "", /certificate|authority/);
    }
    await using all = await setUp(restic.path, folder.path, storage.url, {
      certificate_authority: storage.cert,
      options: { "rest.connections": "3" },
    });
    const made = await all.run({ kind: "init", may_create: true });
    assert.deepEqual([made.status, made.created], ["succeeded", true], made.reason ?? "");
    assert.ok(
      made.texts.some((text) =>
        text.includes("--cacert=") && text.includes("--option=rest.connections=3")
      ),
    );
    const backup = await all.run({ source_group: order([folder.path]) });
    assert.equal(backup.status, "succeeded", backup.reason ?? "");
  });
}

const VERBS = { backup: SUMMARY, snapshots: LISTED };

Deno.test("an option that runs a program is refused by the agent too, whoever sends it", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: VERBS });
  const names = ["sftp.command", "sftp.args", "rclone.program", "rclone.args", "SFTP.command"];
  for (const name of names) {
    await using all = await setUp(restic.path, folder.path, "/srv/r", {
      options: { [name]: "touch /tmp/x" },
    });
    const end = await all.run({ source_group: order([folder.path]) });
    assert.deepEqual([end.status, end.reason_code], ["failed", "bad_options"]);
    assert.ok(end.reason?.includes(name));
  }
  assert.deepEqual(restic.starts, []);
});

Deno.test("a file that others can write, or whose folder they can change, is not used", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, {
    verbs: { ...VERBS, backup: `echo "$RCLONE_CONFIG"; ${SUMMARY}` },
  });
  const config = join(folder.path, "files", "rclone.conf");
  Deno.mkdirSync(join(folder.path, "files"), { mode: 0o755 });
  Deno.writeTextFileSync(config, "[nas]\n", { mode: 0o600 });
  Deno.symlinkSync(config, join(folder.path, "link.conf"));
  const backup = async (path: string) => {
    await using all = await setUp(restic.path, folder.path, "rclone:nas:r", {
      environment: { RCLONE_CONFIG: path },
    });
    return await all.run({ source_group: order([folder.path]) });
  };
  for (const path of [config, join(folder.path, "link.conf")]) {
    const good = await backup(path);
    assert.equal(good.status, "succeeded", good.reason ?? "");
    assert.ok(good.texts.includes(path));
  }
  const wrong: [string, () => void, () => void][] = [
    [
      "others may write it",
      () => Deno.chmodSync(config, 0o602),
      () => Deno.chmodSync(config, 0o600),
    ],
    [
      "its group may write it",
      () => Deno.chmodSync(config, 0o660),
      () => Deno.chmodSync(config, 0o600),
    ],
    [
      "another user owns it",
      () => Deno.chownSync(config, 65534, 0),
      () => Deno.chownSync(config, 0, 0),
    ],
    [
      "others may replace it",
      () => Deno.chmodSync(join(folder.path, "files"), 0o777),
      () => Deno.chmodSync(join(folder.path, "files"), 0o755),
    ],
    [
      "another user owns its folder",
      () => Deno.chownSync(join(folder.path, "files"), 65534, 0),
      () => Deno.chownSync(join(folder.path, "files"), 0, 0),
    ],
  ];
  for (const [what, spoil, mend] of wrong) {
    spoil();
    for (const path of [config, join(folder.path, "link.conf")]) {
      const end = await backup(path);
      assert.deepEqual(
        [end.status, end.reason_code],
        ["failed", "untrusted_file"],
        `${what}: ${end.reason}`,
      );
      assert.match(end.reason ?? "", /^RCLONE_CONFIG: .* can be changed by others than root/);
    }
    mend();
  }
  assert.match((await backup(join(folder.path, "nowhere"))).reason ?? "", /is not there/);
  assert.match((await backup(folder.path)).reason ?? "", /is no file/);
});

Deno.test("without HOME, as a service has none, programs find root's home", () => {
  const home = (environment: Record<string, string>) =>
    ownEnvironment((name) => environment[name]).HOME;
  assert.equal(home({}), "/root");
  assert.equal(home({ HOME: "/home/of another" }), "/home/of another");
});
