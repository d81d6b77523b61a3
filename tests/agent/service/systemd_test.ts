// The compiled agent makes itself a systemd service, in a mount namespace whose /etc/systemd and systemctl are the test's own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { buildForTests } from "../../support/compiled.ts";
import { FakeServer, HOST_ID } from "../../support/fake_server.ts";
import { testFolder } from "../../support/start_agent.ts";

/** Whether root may make a mount namespace here. */
function mayMount(): boolean {
  if (Deno.uid() !== 0) return false;
  const args = ["--mount", "mount", "-t", "tmpfs", "none", "/etc/systemd"];
  return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
}

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

Deno.test("install joins by token and writes the unit, again it keeps the identity; start, stop, uninstall drive systemd", async () => {
  if (!mayMount()) {
    console.log("left out: a mount namespace over /etc/systemd needs root");
    return;
  }
  using folder = testFolder();
  const programs = await buildForTests();
  try {
    await using server = new FakeServer();
    const agent = join(programs, "restic-manager-agent");
    await Deno.writeTextFile(join(folder.path, "systemctl"), SYSTEMCTL, { mode: 0o755 });
    // The namespace ends with the script, so one script does it all.
    const script = `set -e
      mount -t tmpfs none /etc/systemd && mkdir /etc/systemd/system
      mount -t tmpfs none /run
      export RM_CONFIG_DIR='${folder.path}/etc' RM_STATE_DIR='${folder.path}/state'
      RM_SERVER=${server.url} RM_TOKEN=the-token '${agent}' install
      mkdir -p /run/systemd/system
      RM_RESTIC=/opt/restic '${agent}' install
      '${agent}' start
      # From here on by what the service was installed with.
      unset RM_CONFIG_DIR RM_STATE_DIR
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
    assert.match(said, /^service {10}running$/m);
    // Asked once; the second install found the bearer.
    assert.deepEqual(server.enrolments.map(({ token }) => token), ["the-token"]);
    const yaml = await Deno.readTextFile(join(folder.path, "seen/agent.yaml"));
    assert.match(yaml, new RegExp(`host_id: ${HOST_ID}`));
    assert.doesNotMatch(yaml, /the-token/);
    const environment = await Deno.readTextFile(join(folder.path, "seen/agent.env"));
    assert.match(environment, /^RM_RESTIC=\/opt\/restic$/m);
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
});
