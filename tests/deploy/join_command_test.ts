// The join command as people run it: as root without sudo, by sudo, in each shell, with and without a terminal, and its
// token in no process's arguments.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { missingProgram } from "../support/left_out.ts";
import type { Machine } from "../support/machine.ts";
import { onMachine } from "../support/on_machine.ts";
import type { Fleet } from "../support/programs.ts";

const missingSudo = await missingProgram("sudo");
const missingStrace = await missingProgram("strace");
const missingScript = await missingProgram("script");
const AS_TESTER = "setpriv --reuid=tester --regid=tester --init-groups --reset-env";

/** A user who may use sudo, with or without a password; the file lies in the machine's own /etc. */
async function addTester(machine: Machine, tags = "NOPASSWD:"): Promise<void> {
  const { code, said } = await machine.run(`set -e
    useradd --create-home --home-dir /run/tester --shell /bin/sh tester
    echo 'tester:open-sesame' | chpasswd
    printf 'Defaults env_reset\\nDefaults lecture=never\\ntester ALL=(ALL) ${tags} ALL\\n' > /etc/sudoers.d/tester
    chmod 440 /etc/sudoers.d/tester`);
  assert.equal(code, 0, said);
}

async function command(fleet: Fleet, hostname: string): Promise<{ linux: string; token: string }> {
  const { commands, token } = await fleet.api("POST", "/api/enrollment-tokens", {
    hostname,
    repository: { name: hostname, url: join(fleet.folder, hostname), is_new: true },
  });
  assert.ok(commands.linux.includes(token));
  return { linux: commands.linux, token };
}

/** As typed into a shell: it arrives by standard input, as from a terminal or by ssh without one. */
function typed(machine: Machine, line: string, shell: string) {
  return machine.run(
    `printf '%s\\n' "$LINE" > /run/line; chmod 644 /run/line; ${shell} < /run/line`,
    {
      LINE: line,
    },
  );
}

async function isHost(fleet: Fleet, name: string): Promise<void> {
  await eventually(`${name} is online`, async () => {
    const { items } = await fleet.api("GET", `/api/hosts?search=${name}`);
    return items[0]?.online;
  }, 30_000);
}

/** What of other processes' arguments a bystander sees who looks all the time. */
const BYSTANDER = `
const token = Deno.env.get("TOKEN");
const isThere = (path) => { try { return !!Deno.statSync(path); } catch { return false; } };
Deno.writeTextFileSync("/run/looking", "");
while (!isThere("/run/done")) {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync("/proc/" + name + "/cmdline");
      if (line.includes(token)) Deno.writeTextFileSync("/run/seen", line + "\\n", { append: true });
    } catch { /* It has ended. */ }
  }
}`;

for (const [who, shell] of [["root", "sh"], ["a user with sudo", `${AS_TESTER} sh`]] as const) {
  onMachine(
    `run by ${who}, the join command shows its token in the arguments of no process`,
    async (machine, fleet) => {
      if (who !== "root") await addTester(machine);
      const { linux, token } = await command(fleet, "alpha");
      const trace = "strace -f -qq -s 100000 -e trace=execve -o /run/trace";
      // It lives as long as the service that the installer starts.
      const traced = machine.spawn(
        `printf '%s\\n' "$LINE" > /run/line; chmod 644 /run/line
        printf '%s' "$LOOK" > /run/look.js
        DENO_DIR=/run/deno TOKEN=$TOKEN "$DENO" run -A --no-config /run/look.js &
        until [ -e /run/looking ]; do sleep 0.05; done
        unset TOKEN LINE LOOK DENO
        ${trace} sh -c '${shell} < /run/line; echo $? > /run/done'`,
        { LINE: linux, TOKEN: token, LOOK: BYSTANDER, DENO: Deno.execPath() },
      );
      const ended = traced.output();
      const code = await eventually("the command ends", async () => {
        const { said } = await machine.run("cat /run/done 2>/dev/null");
        return said.trim() || undefined;
      }, 240_000);
      await machine.run("restic-manager-agent stop");
      const { stdout, stderr } = await ended;
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.equal(code, "0", said);
      assert.match(said, /This machine is enrolled/);
      const programs = (await machine.run("cat /run/trace")).said;
      // What is looked at is what was run.
      assert.match(programs, /execve\("[^"]*curl", .*install\.sh/);
      assert.match(
        programs,
        /execve\("\/usr\/local\/bin\/restic-manager-agent", \[[^\]]*"install"\]/,
      );
      if (who !== "root") assert.match(programs, /execve\("[^"]*sudo", /);
      assert.ok(!programs.includes(token));
      assert.equal(
        (await machine.run("cat /run/seen")).said.trim().endsWith("No such file or directory"),
        true,
      );
      const files = await machine.run(
        'grep -rlF "$TOKEN" /tmp /run /etc /var/lib --exclude=line 2>/dev/null',
        { TOKEN: token },
      );
      assert.equal(files.said, "");
    },
    missingStrace ?? (who === "root" ? undefined : missingSudo),
  );
}

onMachine(
  "the same line works in each shell, for root without sudo and for a user with it, and where there is only wget",
  async (machine, fleet) => {
    await addTester(machine);
    const shells = [];
    for (const shell of ["dash", "bash", "zsh", "busybox sh"]) {
      if (!await missingProgram(shell.split(" ")[0]!)) shells.push(shell);
    }
    assert.ok(shells.length >= 2, shells.join());
    let n = 0;
    const join = async (shell: string, before = "") => {
      const name = `host-${++n}`;
      const { linux } = await command(fleet, name);
      const { code, said } = await typed(machine, linux, before + shell);
      assert.equal(code, 0, `${shell}: ${said}`);
      await isHost(fleet, name);
    };
    for (const shell of shells) await join(`${AS_TESTER} ${shell}`);
    // As sudo -i gives it.
    if (!missingSudo) await join("sudo -i sh");
    await machine.run(
      "for path in $(command -v -p sudo curl); do mount --bind /dev/null $path; done",
    );
    if (!await missingProgram("wget")) {
      await join("env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin dash");
    }
  },
  missingSudo,
);

onMachine(
  "a password of sudo and a token that is asked for are read from the terminal; without one it is said what to do",
  async (machine, fleet) => {
    await addTester(machine, "");
    const { linux, token } = await command(fleet, "alpha");
    const none = await typed(machine, linux, `setsid ${AS_TESTER} sh`);
    assert.notEqual(none.code, 0);
    assert.match(
      none.said,
      /sudo wants a password, and there is no terminal to ask for it\..*ssh -t/,
    );
    const asks = linux.replace(`RM_TOKEN=${token}`, "RM_TOKEN=");
    const untold = await typed(machine, asks, "setsid sh");
    assert.notEqual(untold.code, 0);
    assert.match(untold.said, /RM_TOKEN is empty, and there is no terminal/);
    const shown = await atTerminal(machine, asks, [["Token", token], ["password", "open-sesame"]]);
    assert.match(shown, /This machine is enrolled/);
    assert.ok(!shown.includes(token) && !shown.includes("open-sesame"), "it was shown");
    await isHost(fleet, "alpha");
  },
  missingSudo ?? missingScript,
);

/** Runs a line as tester at a terminal of his own; answers questions as they come. Returns what the terminal showed. */
async function atTerminal(
  machine: Machine,
  line: string,
  answers: [question: string, answer: string][],
): Promise<string> {
  await machine.run(`printf '%s\\n' "$LINE" > /run/line; chmod 644 /run/line; mkfifo /run/keys`, {
    LINE: line,
  });
  const session = machine.spawn(
    `exec 9<>/run/keys; script -qfec "${AS_TESTER} sh -c '. /run/line'" /run/shown <&9; echo $? > /run/code`,
  );
  const shown = async () => (await machine.run("cat /run/shown")).said;
  for (const [question, answer] of answers) {
    await eventually(
      `it asks for the ${question}`,
      async () => (await shown()).includes(question),
      60_000,
    );
    await machine.run("printf '%s\\n' \"$ANSWER\" > /run/keys", { ANSWER: answer });
  }
  const code = await eventually("it ends", async () => {
    const { said } = await machine.run("cat /run/code 2>/dev/null");
    return said.trim() || undefined;
  }, 120_000);
  const text = await shown();
  assert.equal(code, "0", text);
  await session.output();
  return text;
}

onMachine(
  "removed by the same user: the installer asks for root for that too",
  async (machine, fleet) => {
    await addTester(machine);
    const { linux } = await command(fleet, "alpha");
    assert.equal((await typed(machine, linux, `${AS_TESTER} sh`)).code, 0);
    const line = linux.replace(/ RM_SERVER=.*/, " sh -s -- --uninstall");
    const { code, said } = await typed(machine, line, `${AS_TESTER} sh`);
    assert.equal(code, 0, said);
    assert.match(said, /The agent is removed/);
    assert.equal(
      (await machine.run("ls -A /usr/local/bin /var/lib")).said,
      "/usr/local/bin:\nsystemctl\n\n/var/lib:\n",
    );
  },
  missingSudo,
);
