// install.sh as its user runs it: against a running server, on a machine of the test's own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/eventually.ts";
import { missingProgram, testUnless } from "../support/left_out.ts";
import { AGENT, onMachine, pipe } from "../support/on_machine.ts";
import { freePort } from "../support/programs.ts";

const SCRIPT = fileURLToPath(new URL("../../deploy/install.sh", import.meta.url));
onMachine(
  "by token: joined, backed up, upgraded with its identity kept, other backups shown and left, removed without a trace",
  async (machine, fleet) => {
    const source = join(fleet.folder, "files");
    await Deno.mkdir(source);
    await Deno.writeTextFile(join(source, "a"), "content");
    const cron = "0 1 * * * root restic backup /home\n";
    await machine.run(`printf '${cron}' > /etc/cron.d/old; echo '# restic' > /etc/cron.d/other`);
    const made = await fleet.api("POST", "/api/enrollment-tokens", {
      hostname: "alpha",
      initial_paths: [source],
      repository: {
        name: "r",
        url: join(fleet.folder, "repository"),
        password: "secret-of-the-repository",
        is_new: true,
      },
    });
    const env = { RM_SERVER: fleet.url, RM_TOKEN: made.token };
    // The command of the page says sh; bash is what many have it be.
    const installed = await machine.run(pipe(fleet.url, "bash"), env);
    assert.equal(installed.code, 0, installed.said);
    assert.match(installed.said, /restic is here: restic \d/);
    assert.match(installed.said, /This machine is enrolled\./);
    assert.match(
      installed.said,
      /systemd timer old-backup\.timer +systemctl disable --now old-backup\.timer/,
    );
    assert.match(installed.said, /\/etc\/cron\.d\/old +/);
    assert.doesNotMatch(installed.said, /cron\.d\/other|logrotate/);
    assert.equal((await machine.run("cat /etc/cron.d/old")).said, cron);

    const host = await eventually(
      "alpha is online",
      async () =>
        (await fleet.api("GET", "/api/hosts")).items.find((each: { online: boolean }) =>
          each.online
        ),
      30_000,
    );
    await fleet.repositoryReady(host.id);
    const job = await fleet.jobIs(await fleet.run(host.id), "succeeded", "failed");
    assert.equal(job.status, "succeeded", job.reason);

    const modes = await machine.run(
      `stat -c '%a %u %n' /usr/local/bin/restic-manager-agent /etc/restic-manager /etc/restic-manager/agent.yaml /var/lib/restic-manager`,
    );
    assert.equal(
      modes.said,
      `755 0 /usr/local/bin/restic-manager-agent
700 0 /etc/restic-manager
600 0 /etc/restic-manager/agent.yaml
700 0 /var/lib/restic-manager
`,
    );
    // What is left afterwards, on disk and in the processes.
    const leak = await machine.run(
      `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n';
     find /etc/restic-manager /var/lib/restic-manager /run /etc/systemd/system -type f -exec cat {} +`,
    );
    assert.match(leak.said, /RM_STATE_DIR=/);
    assert.ok(!leak.said.includes(made.token));

    const identity =
      "cat /etc/restic-manager/agent.yaml; stat -c %i /usr/local/bin/restic-manager-agent";
    const before = (await machine.run(identity)).said.trim().split("\n");
    const upgraded = await machine.run(pipe(fleet.url, "sh"));
    assert.equal(upgraded.code, 0, upgraded.said);
    const after = (await machine.run(identity)).said.trim().split("\n");
    assert.deepEqual(after.slice(0, -1), before.slice(0, -1));
    assert.notEqual(after.at(-1), before.at(-1), "the program was not replaced");
    await eventually("it is back after the upgrade", async () => {
      const { online, last_seen_at } = await fleet.api("GET", `/api/hosts/${host.id}`);
      return online && last_seen_at > host.last_seen_at;
    }, 30_000);
    const again = await fleet.jobIs(await fleet.run(host.id), "succeeded", "failed");
    assert.equal(again.status, "succeeded", again.reason);

    const removed = await machine.run(pipe(fleet.url, "sh", "-s -- --uninstall"));
    assert.equal(removed.code, 0, removed.said);
    const left = await machine.run(
      "ls -A /usr/local/bin /var/lib; find /etc -name '*restic-manager*'; pgrep -f restic-manager-agent",
    );
    assert.equal(left.said, "/usr/local/bin:\nsystemctl\n\n/var/lib:\n");
  },
);

onMachine(
  "run again, the installer says what the machine is now: what it was, another host by a new token, no agent that has ended",
  async (machine, fleet) => {
    const token = async (hostname: string) =>
      (await fleet.api("POST", "/api/enrollment-tokens", {
        hostname,
        repository: {
          name: hostname,
          url: join(fleet.folder, hostname),
          password: "secret-of-the-repository",
          is_new: true,
        },
      })).token;
    const joined = async (hostname: string) =>
      await machine.run(pipe(fleet.url), {
        RM_SERVER: fleet.url,
        RM_TOKEN: await token(hostname),
      });
    assert.equal((await joined("alpha")).code, 0);
    const id = "sed -n 's/^host_id: //p' /etc/restic-manager/agent.yaml";
    const [host] = (await fleet.api("GET", "/api/hosts")).items;
    await fleet.api("DELETE", `/api/hosts/${host.id}`);
    const upgraded = await machine.run(pipe(fleet.url));
    assert.equal(upgraded.code, 0, upgraded.said);
    assert.match(upgraded.said, /a job that runs now is interrupted/);
    assert.match(upgraded.said, /If it is not in the list .*, make a new command there/);
    assert.doesNotMatch(upgraded.said, /It stands in the list/);

    const used = await token("beta");
    const joinedAgain = await machine.run(pipe(fleet.url), {
      RM_SERVER: fleet.url,
      RM_TOKEN: used,
    });
    assert.equal(joinedAgain.code, 0, joinedAgain.said);
    assert.match(joinedAgain.said, /This machine was host .*; it is host .* now/);
    assert.match(joinedAgain.said, /This machine is enrolled\. It stands in the list/);
    const beta = (await machine.run(id)).said.trim();
    assert.equal((await fleet.api("GET", `/api/hosts/${beta}`)).name, "beta");
    const repeated = await machine.run(pipe(fleet.url), { RM_SERVER: fleet.url, RM_TOKEN: used });
    assert.equal(repeated.code, 0, repeated.said);
    assert.match(repeated.said, /The token is the one by which this machine joined/);

    const refused = await machine.run(pipe(fleet.url), {
      RM_SERVER: fleet.url,
      RM_TOKEN: "rmt_no",
    });
    assert.notEqual(refused.code, 0, refused.said);
    assert.match(refused.said, /The enrolment token is not valid.*This machine stays host/);
    assert.match(refused.said, /The token was refused, so this machine stays what it was/);
    assert.equal((await machine.run(id)).said.trim(), beta);
    await eventually(
      "it goes on as beta",
      async () => (await fleet.api("GET", `/api/hosts/${beta}`)).online,
      30_000,
    );

    // The server's own address under another name: it has moved, and knows the machine.
    const moved = fleet.url.replace("127.0.0.1", "localhost");
    const gone = await machine.run(pipe(fleet.url), { RM_SERVER: moved });
    assert.equal(gone.code, 0, gone.said);
    assert.match(gone.said, /it goes to http:\/\/localhost:\d+ now, which knows it/);
    await using stranger = Deno.serve(
      { hostname: "127.0.0.1", port: freePort(), onListen() {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        if (pathname !== "/ws/agent") return await fetch(`${fleet.url}${pathname}${search}`);
        return Response.json({ error: { code: "unauthorized", message: "no" } }, { status: 401 });
      },
    );
    const wrong = await machine.run(pipe(fleet.url), {
      RM_SERVER: `http://127.0.0.1:${stranger.addr.port}`,
    });
    assert.notEqual(wrong.code, 0, wrong.said);
    assert.match(wrong.said, /does not know this machine\. This machine stays host .*RM_TOKEN/);
    assert.match((await machine.run("cat /etc/restic-manager/agent.yaml")).said, /localhost/);

    await machine.run(
      "restic-manager-agent stop; echo no key > /var/lib/restic-manager/identity.key",
    );
    const broken = await machine.run(pipe(fleet.url));
    assert.notEqual(broken.code, 0, broken.said);
    assert.match(broken.said, /The agent has ended again\. Why: journalctl/);
    assert.equal(
      (await machine.run("ls -A /usr/local/bin")).said,
      "restic-manager-agent\nsystemctl\n",
    );
    assert.equal((await machine.run(pipe(fleet.url, "sh", "-s -- --uninstall"))).code, 0);
    const left = await machine.run("ls -A /etc/restic-manager /var/lib/restic-manager");
    assert.doesNotMatch(left.said, /yaml|json|before/);
    const anew = await joined("delta");
    assert.equal(anew.code, 0, anew.said);
    assert.match(anew.said, /It stands in the list of hosts/);
  },
);

onMachine(
  "by announcing: the fingerprint on the console is the one to compare, and the installer waits for the approval",
  async (machine, fleet) => {
    const installing = machine.spawn(pipe(fleet.url, "sh"), { RM_SERVER: fleet.url });
    let said = "";
    const reading = (async () => {
      for await (const part of installing.stdout.pipeThrough(new TextDecoderStream())) said += part;
    })();
    const stderr = new Response(installing.stderr).text();
    const pending = await eventually("the machine announces itself", async () => {
      const { items } = await fleet.api("GET", "/api/pending-hosts");
      return items[0];
    }, 60_000);
    await eventually("the installer shows it", () => said.includes("Waiting for approval"), 20_000);
    assert.ok(said.includes(`\n  ${pending.fingerprint}\n`), said);
    const groups = pending.fingerprint.slice(7).match(/.{4}/g)!;
    assert.ok(said.includes(groups.slice(0, 8).join(" ")), said);
    await fleet.api("POST", `/api/pending-hosts/${pending.id}/accept`, {
      fingerprint: pending.fingerprint,
      name: "beta",
      repository: {
        name: "r",
        url: join(fleet.folder, "repository"),
        password: "secret-of-the-repository",
        is_new: true,
      },
    });
    const { code } = await installing.status;
    await reading;
    assert.equal(code, 0, said + await stderr);
    assert.match(said, /Accepted\. This machine stands in the list of hosts/);
    const { items } = await fleet.api("GET", "/api/hosts");
    await fleet.repositoryReady(items[0].id);
  },
);

onMachine(
  "what cannot work is refused with a sentence, and nothing is installed",
  async (machine, fleet) => {
    const file = await Deno.readFile(join(fleet.dataDir, "agent-binaries", AGENT));
    const wrong = new Uint8Array(file);
    wrong[1_000_000]! ^= 1;
    let answers: Record<string, () => Response> = {};
    await using tampering = Deno.serve(
      { hostname: "127.0.0.1", port: freePort(), onListen() {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        return answers[pathname]?.() ?? await fetch(`${fleet.url}${pathname}${search}`);
      },
    );
    const proxy = `http://127.0.0.1:${tampering.addr.port}`;
    const refused = async (env: Record<string, string>, said: RegExp, before = "") => {
      const { code, said: text } = await machine.run(before + pipe(fleet.url, "sh"), env);
      assert.notEqual(code, 0, text);
      assert.match(text, said);
      const left = await machine.run(
        "ls -A /usr/local/bin /etc/systemd/system /etc/restic-manager",
      );
      assert.doesNotMatch(left.said, /agent/, text);
    };
    answers = { "/agent/binary": () => new Response(wrong) };
    await refused(
      { RM_SERVER: proxy },
      /does not have the server's checksum\. Nothing was installed/,
    );
    answers = { "/agent/binary": () => new Response(file.subarray(0, 5000)) };
    await refused({ RM_SERVER: proxy }, /does not have the server's checksum/);
    answers = { "/agent/binary.sha256": () => new Response("<html>sign in first</html>") };
    await refused({ RM_SERVER: proxy }, /does not have the server's checksum/);
    answers = { "/agent/binary.sha256": () => new Response("no", { status: 404 }) };
    await refused({ RM_SERVER: proxy }, /did not hand out the agent's checksum/);
    await refused({}, /Set RM_SERVER to the server's address/);
    await refused({ RM_SERVER: "https://x/y" }, /an address without a path/);
    await refused({ RM_SERVER: 'http://a";id' }, /without user, path or query/);
    // A token that is none: the sentence of the server, and no service that cannot work.
    const bad = await machine.run(pipe(fleet.url), { RM_SERVER: fleet.url, RM_TOKEN: "rme_wrong" });
    assert.notEqual(bad.code, 0);
    assert.match(bad.said, /The enrolment token is not valid/);
    assert.doesNotMatch((await machine.run("ls /etc/systemd/system")).said, /restic/);
    const nobody = await machine.run(
      `for path in $(command -v sudo); do mount --bind /dev/null $path; done
      setpriv --reuid=65534 --regid=65534 --clear-groups bash -c '${pipe(fleet.url)}'`,
      { RM_SERVER: fleet.url },
    );
    assert.notEqual(nobody.code, 0);
    assert.match(nobody.said, /This needs root, and there is no sudo here\. Become root/);
    // A machine without restic, on which none can be installed: the agent is there all the same and says what is missing.
    const hide = `for program in restic apt-get dnf yum zypper pacman apk; do
      path=$(command -v $program) && mount --bind /dev/null $path
    done; `;
    const without = await machine.run(hide + pipe(fleet.url), {
      RM_SERVER: fleet.url,
      RM_NO_WAIT: "1",
    });
    assert.equal(without.code, 0, without.said);
    assert.match(
      without.said,
      /restic could not be installed\. Put restic 0\.14 or newer on the PATH/,
    );
    assert.match((await machine.run("restic-manager-agent status")).said, /^service +running$/m);
  },
);

for (
  const [program, ...args] of [
    ["shellcheck"],
    ["dash", "-n"],
    ["bash", "-n"],
    ["busybox", "sh", "-n"],
  ] as const
) {
  testUnless(await missingProgram(program), `the installer is clean for ${program}`, async () => {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args, SCRIPT],
    }).output();
    assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  });
}

testUnless(await missingProgram("systemd-analyze"), "systemd accepts both units", async () => {
  for (const name of ["agent", "server"]) {
    const unit = await Deno.readTextFile(
      new URL(`../../deploy/restic-manager-${name}.service`, import.meta.url),
    );
    const folder = await Deno.makeTempDir();
    const file = join(folder, `restic-manager-${name}.service`);
    // The program is not installed here.
    await Deno.writeTextFile(file, unit.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
    try {
      const { success, stderr } = await new Deno.Command("systemd-analyze", {
        args: ["verify", "--man=no", file],
      }).output();
      const said = new TextDecoder().decode(stderr);
      assert.ok(success, said);
      // A line that it does not know is only mentioned.
      assert.ok(!said.includes(file), said);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
});
