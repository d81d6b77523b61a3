import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { waysToGive } from "../support/repository_ways.ts";
import { startServer } from "../support/start_server.ts";
import { changedSince, storedIn } from "../support/world.ts";

/** What would run a program, or make one read or load something. */
const VARIABLES = [
  ...["RESTIC_PASSWORD_COMMAND", "RESTIC_PASSWORD_FILE", "RESTIC_FROM_PASSWORD_COMMAND"],
  ...["RESTIC_REPOSITORY", "RESTIC_REPOSITORY_FILE", "RESTIC_CACERT", "RESTIC_CACHE_DIR"],
  ...["RCLONE_PASSWORD_COMMAND", "RCLONE_CONFIG_EVIL_TYPE", "RCLONE_SFTP_SSH", "RCLONE_RC"],
  ...["LD_PRELOAD", "PATH", "BASH_ENV", "SSH_ASKPASS", "HTTPS_PROXY", "GODEBUG", "HOME"],
  ...["restic_password_command", "RESTIC_PASSWORD_COMMAND ", " LD_PRELOAD", "AWS_PROFILE\0X"],
  ...["AWS_PROFILE=x\nLD_PRELOAD", "constructor", "toString", "RESTIC_PASSWORD"],
];
const OPTIONS = [
  ...["sftp.command", "sftp.args", "rclone.program", "rclone.args", "SFTP.COMMAND"],
  ...["sftp.command ", "sftp .command", "s3.retries\nsftp.command", "constructor"],
];
const VALUES = ["3 -o sftp.command=id", "3\n", "--password-command=id", "1,sftp.command=id", ""];
/** Names that only admins may set, and paths that no one may. */
const FILES = ["rclone.conf", "../etc/rclone.conf", "~/rclone.conf", "|id", "\0"];

attack({
  id: "S22",
  promise: "no variable and no option of a repository runs a program, whoever sets it",
  done:
    `an admin and an operator set ${VARIABLES.length} variables and ${OPTIONS.length} options by each route and form, with values that go on as arguments, and in the admin credential`,
  expected:
    "422 with the name (403 where it is an admin's), nothing stored, nothing sent to the agent",
}, async (see) => {
  const seen: string[] = [];
  for (const person of ["alice", "olive"] as const) {
    await using test = await startServer();
    await using ways = await waysToGive(test, person);
    const before = storedIn(test);
    const counts = new Map<number, number>();
    const refuse = async (what: string, asked: Promise<{ status: number; text: string }>) => {
      const { status, text } = await asked;
      counts.set(status, (counts.get(status) ?? 0) + 1);
      assert.ok([403, 422].includes(status), `${what}: ${status} ${text.slice(0, 300)}`);
    };
    for (const [way, give] of Object.entries(ways.give)) {
      for (const name of VARIABLES) {
        // A form cannot send an own field of that name in another way.
        await refuse(`${way} ${name}`, give({ environment: { [name]: "id" } }));
      }
      for (const value of FILES) {
        await refuse(
          `${way} RCLONE_CONFIG=${value}`,
          give({ environment: { RCLONE_CONFIG: value } }),
        );
      }
      const isForm = !way.includes("/api/");
      for (const name of OPTIONS) {
        // What a text area cuts at a line break is two lines, each of which is looked at.
        await refuse(`${way} option ${name}`, give({ options: { [name]: "id" } }));
      }
      for (const value of VALUES) {
        if (isForm && value.endsWith("\n")) continue;
        await refuse(`${way} s3.retries=${value}`, give({ options: { "s3.retries": value } }));
      }
    }
    const credential = `/api/repositories/${ways.host.repositoryId}/admin-credential`;
    for (const name of VARIABLES) {
      const { status, body } = await test.api(person, "PUT", credential, {
        environment: { [name]: "id" },
      });
      await refuse(`admin credential ${name}`, Promise.resolve({ status, text: `${body}` }));
    }
    assert.deepEqual(changedSince(test, before), []);
    const told = ways.agent.received.filter(({ type }) => type === "config.update")
      .map((each) => each.type === "config.update" && each.repository);
    for (const access of told) {
      if (access) assert.deepEqual([access.environment, access.options ?? {}], [{}, {}]);
    }
    seen.push(
      `${person}: ${[...counts].map(([status, count]) => `${count} × ${status}`).join(", ")}`,
    );
  }
  see(seen.join("; "));
});
