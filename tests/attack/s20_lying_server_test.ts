import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { ENVIRONMENT_NAMES } from "../../shared/repository_environment.ts";
import { OPTION_NAMES } from "../../shared/repository_options.ts";

/** Names that make a program that restic or ssh or Go starts, or the loader, do something else. */
const NAMES = [
  ...["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "PATH", "HOME", "SHELL", "BASH_ENV", "ENV"],
  ...["RESTIC_PASSWORD_COMMAND", "RESTIC_PASSWORD_FILE", "RESTIC_REPOSITORY", "RESTIC_REPOSITORY2"],
  ...["RESTIC_REPOSITORY_FILE", "RESTIC_CACHE_DIR", "RESTIC_KEY_HINT", "RESTIC_PASSWORD"],
  ...["RESTIC_FROM_PASSWORD_COMMAND", "RESTIC_CACERT", "RESTIC_HOST", "RESTIC_FEATURES"],
  ...["RCLONE_PASSWORD_COMMAND", "RCLONE_CONFIG_X_TYPE", "RCLONE_SFTP_SSH", "RCLONE_RC"],
  ...["AWS_CONFIG", "SSH_AUTH_SOCK", "SSH_ASKPASS", "GIT_SSH_COMMAND", "GODEBUG", "SSL_CERT_FILE"],
  ...["HTTP_PROXY", "https_proxy", "ALL_PROXY", "TMPDIR", "aws_access_key_id", "PROMPT_COMMAND"],
];
const OPTIONS = [
  ...["sftp.command", "sftp.args", "rclone.program", "rclone.args", "s3.unknown", "Sftp.Command"],
  ...["sftp.connections=1 -o sftp.command", "sftp.command ", "--password-command", ""],
];
const URLS = [
  ...["sftp:-oProxyCommand=id:/r", "sftp://-oProxyCommand=id@h/r", "sftp:u@-oProxyCommand=id:/r"],
  ...["rclone::local:/etc", "rclone:x,y:z -v", "-r/srv/x", "--repo=/srv/x", "file:///etc", "hh:/x"],
  ...["rest:file:///etc", "s3:--help", "/srv/../../etc\n/x", "ssh://h/x", "local:relative", "\0"],
];
const PATHS = ["--files-from=/etc/shadow", "-r", "relative", "", "~/x", "/a\n/etc/shadow", "/\0"];
const KINDS = [
  "exec",
  "shell",
  "mount",
  "dump",
  "copy",
  "key",
  "self-update",
  "cat",
  "download",
  "diff",
];

attack({
  id: "S20",
  promise: "an agent holds every order against its own lists, whoever sends it",
  done:
    `a server that was taken over sends the real agent ${NAMES.length} variables, ${OPTIONS.length} options, ${URLS.length} addresses, ${PATHS.length} paths and ${KINDS.length} kinds of job that are none of its`,
  expected:
    "restic is not started with any of them: variables are left out, all else is refused; the good order in between runs",
}, async (see) => {
  using folder = testFolder();
  const dump = join(folder.path, "dump");
  const restic = new FakeRestic(folder.path, {
    verbs: { backup: `env > '${dump}'; ${SUMMARY}`, snapshots: LISTED },
  });
  await using stack = new AsyncDisposableStack();
  const server = stack.use(new FakeServer({ config: { repository: access("/srv/r") } }));
  stack.use(await startAgent(server, { directory: folder.path, restic: restic.path }));
  const config = (more: Record<string, unknown>, url = "/srv/r") =>
    server.send({
      ...{ type: "config.update", snapshot_host: "alpha", bandwidth_up_kib_per_s: null },
      ...{ bandwidth_down_kib_per_s: null, repository: { ...access(url), ...more } },
    });
  const backup = async (more: Record<string, unknown> = {}) => {
    const job_id = jobId();
    server.send({
      ...{ type: "command.run", kind: "backup", repository_id: access("/srv/r").id, job_id },
      source_group: order([folder.path]),
      ...more,
    });
    return await server.finished(job_id);
  };
  const environment = Object.fromEntries(NAMES.map((name) => [name, `evil-${name}`]));
  config({ environment: { ...environment, AWS_ACCESS_KEY_ID: "ours" } });
  assert.equal((await backup()).status, "succeeded");
  const had = Deno.readTextFileSync(dump);
  assert.match(had, /^AWS_ACCESS_KEY_ID=ours$/m);
  assert.deepEqual(NAMES.filter((name) => had.includes(`evil-${name}`)), []);
  assert.deepEqual(NAMES.filter((name) => (ENVIRONMENT_NAMES as string[]).includes(name)), []);

  const refused: string[] = [];
  const refuse = async (what: string, more: Record<string, unknown> = {}) => {
    const starts = restic.starts.length;
    const { status, reason_code } = await backup(more);
    assert.equal(status, "failed", what);
    assert.equal(restic.starts.length, starts, `${what} started restic`);
    refused.push(reason_code ?? "");
  };
  for (const name of OPTIONS) {
    config({ options: { [name]: "id", "s3.retries": "3" } });
    await refuse(`option ${name}`);
  }
  for (const value of ["1 -o sftp.command=id", "auto\n", "--help"]) {
    for (const name of OPTION_NAMES.slice(0, 5)) {
      config({ options: { [name]: value } });
      await refuse(`option ${name}=${value}`);
    }
  }
  for (const url of URLS) {
    config({}, url);
    await refuse(`address ${url}`);
  }
  config({});
  assert.equal((await backup()).status, "succeeded", "good orders run as before");
  const good = restic.starts.length;
  // What cannot be an order at all ends as a job that was refused; the conversation goes on.
  for (const path of PATHS) {
    const job_id = jobId();
    server.run({ job_id, source_group: order([path]) });
    refused.push((await server.finished(job_id)).reason_code ?? "");
  }
  for (const kind of KINDS) {
    const job_id = jobId();
    server.send({
      ...{ type: "command.run", kind, repository_id: access("/srv/r").id, job_id },
      source_group: order([folder.path]),
    });
    refused.push((await server.finished(job_id)).reason_code ?? "");
  }
  assert.equal(
    refused.filter((code) => code === "order_refused").length,
    PATHS.length + KINDS.length,
  );
  const counts = [...new Set(refused)].map((code) =>
    `${refused.filter((each) => each === code).length} × ${code}`
  );
  see(
    `${NAMES.length} variables left out; ${counts.join(", ")}; ${
      PATHS.length + KINDS.length
    } orders not even read; starts of restic by any of them: ${restic.starts.length - good}`,
  );
  assert.equal(restic.starts.length, good);
});
