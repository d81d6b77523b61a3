// A hook under what the systemd unit leaves of root's capabilities.
import assert from "node:assert/strict";
import {
  firstOf,
  missingNamespace,
  missingProgram,
  missingRoot,
  testUnless,
} from "../../support/left_out.ts";
import { command } from "../../support/programs.ts";
import { FakeRestic } from "../../support/fake_restic.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { BACKUP } from "../../support/hooked_agent.ts";
import { restics } from "../../support/restic.ts";
import { access, jobId, order, testFolder } from "../../support/start_agent.ts";
import { join } from "node:path";

const UNIT = new URL("../../../deploy/restic-manager-agent.service", import.meta.url);

/** What `ping` and `etherwake` open: ICMP without a port, and Ethernet frames. */
const SOCKETS = `#!/usr/bin/perl
use Socket;
socket(my $ping, AF_INET, SOCK_RAW, 1) or print "ping: $!\\n";
socket(my $wake, 17, SOCK_RAW, 0) or print "etherwake: $!\\n";
print "tried\\n";
`;

async function hookUnder(capabilities: string[]): Promise<string[]> {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: BACKUP });
  await using server = new FakeServer({ config: { repository: access("/srv/r") } });
  const [program, { args = [], ...options }] = command("agent", ["run"], {
    RM_CONFIG_DIR: join(folder.path, "config"),
    RM_STATE_DIR: join(folder.path, "state"),
    RM_SERVER: server.url,
    RM_TOKEN: "t",
    RM_RESTIC: restic.path,
  });
  const bounding = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  const agent = new Deno.Command("setpriv", {
    ...options,
    args: [`--bounding-set=${bounding}`, "--", program, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await server.hello();
    const job_id = jobId();
    const hooks = { pre_hook: SOCKETS, timeout_seconds: 60 };
    server.run({ job_id, source_group: { ...order([folder.path]), hooks } });
    await server.finished(job_id);
    return server.texts(job_id).filter((text) => text.startsWith("hook: "));
  } finally {
    agent.kill("SIGKILL");
    await agent.status;
  }
}

testUnless(
  firstOf(missingRoot(), await missingProgram("setpriv")),
  "a hook may ping, and wake another machine, with what the unit leaves of root",
  async () => {
    const unit = await Deno.readTextFile(UNIT);
    const names = capabilitiesOf(unit);
    assert.deepEqual(await hookUnder(names), ["hook: tried"]);
    assert.match(unit, /^RestrictAddressFamilies=.*\bAF_PACKET\b/m);
    // The socket of this test can fail: without the capability it does.
    const without = await hookUnder(names.filter((name) => name !== "net_raw"));
    assert.equal(without.length, 3, without.join("\n"));
  },
);

const READ_ONLY = ["/usr", "/boot"];

/** An agent as the unit starts it: without HOME, with programs read-only, with what is left of root. */
function startAsUnit(
  environment: Record<string, string>,
  capabilities: string[],
): Deno.ChildProcess {
  const [program, { args = [], env = {} }] = command("agent", ["run"], environment);
  const mounts = READ_ONLY.map((place) =>
    `mount --bind ${place} ${place} && mount -o remount,bind,ro ${place}`
  );
  const bounding = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  return new Deno.Command("unshare", {
    args: [
      ...["--mount", "--propagation", "private", "sh", "-c"],
      `${mounts.join(" && ")} && exec setpriv --bounding-set=${bounding} -- env -u HOME "$@"`,
      "sh",
      program,
      ...args,
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

for (const { path, version } of restics) {
  testUnless(
    firstOf(missingRoot(), await missingProgram("setpriv"), missingNamespace(["--mount"], ":")),
    `as the unit starts it, hooks and restic find root's home, and programs cannot be changed (restic ${version})`,
    async () => {
      using folder = testFolder();
      const state = join(folder.path, "state");
      const repository = access(join(folder.path, "repository"));
      await using server = new FakeServer({ config: { repository } });
      const unit = await Deno.readTextFile(UNIT);
      const agent = startAsUnit({
        RM_CONFIG_DIR: join(folder.path, "config"),
        RM_STATE_DIR: state,
        RM_SERVER: server.url,
        RM_TOKEN: "t",
        RM_RESTIC: path,
      }, capabilitiesOf(unit));
      try {
        await server.hello();
        const init = jobId();
        server.run({ job_id: init, kind: "init", may_create: true });
        assert.equal((await server.finished(init)).status, "succeeded");
        const job_id = jobId();
        const source = join(folder.path, "source");
        await Deno.mkdir(source);
        const pre_hook = [
          "echo home $HOME",
          `echo dump > ${source}/dump`,
          "touch /usr/bin/restic-manager-test 2>&1 || true",
        ].join("\n");
        server.run({
          job_id,
          source_group: { ...order([source]), hooks: { pre_hook, timeout_seconds: 60 } },
        });
        const end = await server.finished(job_id);
        assert.equal(end.status, "succeeded", end.reason ?? "");
        const hook = server.texts(job_id).filter((text) => text.startsWith("hook: "));
        assert.equal(hook[0], "hook: home /root");
        assert.match(hook[1] ?? "", /Read-only file system/);
        assert.ok((await Array.fromAsync(Deno.readDir(join(state, "cache")))).length > 0);
      } finally {
        agent.kill("SIGKILL");
        await agent.status;
      }
    },
  );
}

function capabilitiesOf(unit: string): string[] {
  return /^CapabilityBoundingSet=(.+)$/m.exec(unit)![1]!.split(" ")
    .map((name) => name.replace("CAP_", "").toLowerCase());
}
