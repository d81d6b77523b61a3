// The compiled agent makes itself a systemd service, in a mount namespace whose /etc/systemd and systemctl are the test's own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { buildForTests } from "../../support/compiled.ts";
import { FakeServer, HOST_ID } from "../../support/fake_server.ts";
import { missingNamespace, testUnless } from "../../support/left_out.ts";
import { testFolder } from "../../support/start_agent.ts";

const OTHER = "99999999-9999-4999-8999-999999999999";

// Writes down what it is told, and says that the service is what the file "is" says.
const SYSTEMCTL = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/told"
case "$1" in
  start) echo active > "$here/is" ;;
  stop) echo inactive > "$here/is" ;;
  show)
    [ -e /etc/systemd/system/restic-manager-agent.service ] && echo LoadState=loaded || echo LoadState=not-found
    echo "ActiveState=$(cat "$here/is" 2>/dev/null || echo inactive)" ;;
esac
`;

const missing = missingNamespace(
  ["--mount"],
  "mount -t tmpfs none /etc/systemd; mount -t tmpfs none /run",
);
testUnless(
  missing,
  "install joins by token and writes the unit, again it keeps the identity or takes a new token; start, stop, uninstall drive systemd",
  async () => {
    using folder = testFolder();
    const programs = await buildForTests();
    try {
      await using server = new FakeServer({
        enrol: ({ token }) =>
          token === "another"
            ? Response.json({ host_id: OTHER, bearer: "b" })
            : token === "refused"
            ? Response.json({ error: { code: "unauthorized", message: "No." } }, { status: 401 })
            : undefined,
      });
      const agent = join(programs, "restic-manager-agent");
      await Deno.writeTextFile(join(folder.path, "systemctl"), SYSTEMCTL, { mode: 0o755 });
      // The namespace ends with the script, so one script does it all.
      const script = `set -e
      mount -t tmpfs none /etc/systemd && mkdir /etc/systemd/system
      mount -t tmpfs none /run
      export RM_CONFIG_DIR='${folder.path}/etc' RM_STATE_DIR='${folder.path}/state'
      RM_SERVER=${server.url} RM_TOKEN=the-token '${agent}' install
      mkdir -p /run/systemd/system
      RM_RESTIC=/opt/restic RM_LOG_FORMAT=json '${agent}' install
      '${agent}' start
      # From here on by what the service was installed with.
      unset RM_CONFIG_DIR RM_STATE_DIR
      '${agent}' status || true
      RM_TOKEN=the-token '${agent}' install
      RM_TOKEN=refused '${agent}' install || echo "refused: $?"
      '${agent}' status || true
      RM_TOKEN=another '${agent}' install
      cp -a '${folder.path}/etc' '${folder.path}/seen'
      cp /etc/systemd/system/restic-manager-agent.service '${folder.path}/unit'
      '${agent}' stop
      '${agent}' uninstall
      ls -A /etc/systemd/system
    `;
      const { code, stdout, stderr } = await new Deno.Command("unshare", {
        args: ["--mount", "sh", "-c", script],
        env: { PATH: `${folder.path}:${Deno.env.get("PATH")}` },
      }).output();
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      const said = decode(stdout);
      assert.equal(code, 0, said + decode(stderr));
      // At first without systemd: it joins, and says what to run.
      assert.match(said, /^There is no systemd here\..*\/restic-manager-agent run$/m);
      // What had to stop for a token runs again, whatever became of it.
      assert.equal(said.match(/^service {10}running$/mg)?.length, 2);
      // Each asked once; the second install found the bearer.
      assert.deepEqual(server.enrolments.map(({ token }) => token), [
        "the-token",
        "refused",
        "another",
      ]);
      assert.match(said, new RegExp(`stays host ${HOST_ID} of .*[^]*^refused: 3$`, "m"));
      assert.match(said, new RegExp(`was host ${HOST_ID} of .*; it is host ${OTHER} of .* now`));
      const yaml = await Deno.readTextFile(join(folder.path, "seen/agent.yaml"));
      assert.match(yaml, new RegExp(`host_id: ${OTHER}`));
      assert.doesNotMatch(yaml, /the-token/);
      const environment = await Deno.readTextFile(join(folder.path, "seen/agent.env"));
      assert.match(environment, /^RM_RESTIC=\/opt\/restic$/m);
      assert.match(environment, /^RM_LOG_FORMAT=json$/m);
      const unit = await Deno.readTextFile(join(folder.path, "unit"));
      assert.ok(unit.includes(`ExecStart=${agent} run\n`));
      const told = await Deno.readTextFile(join(folder.path, "told"));
      assert.deepEqual(
        told.split("\n").filter((line) => line && !line.startsWith("show")),
        [
          "daemon-reload",
          "enable restic-manager-agent",
          "reset-failed restic-manager-agent",
          "start restic-manager-agent",
          "daemon-reload",
          "enable restic-manager-agent",
          ...["refused", "another"].flatMap(() => [
            "stop restic-manager-agent",
            "daemon-reload",
            "enable restic-manager-agent",
            "reset-failed restic-manager-agent",
            "start restic-manager-agent",
          ]),
          "stop restic-manager-agent",
          "disable --now restic-manager-agent",
          "daemon-reload",
        ],
      );
      assert.ok(said.endsWith("are removed.\n"), said);
      const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
      assert.ok(!left.includes("etc") && !left.includes("state"), left.join(" "));
    } finally {
      await Deno.remove(programs, { recursive: true });
    }
  },
);
