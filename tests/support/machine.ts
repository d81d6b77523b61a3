// A machine to install on: a mount and process namespace of this one in which the folders that an installer writes to are
// empty, and systemctl is the test's own. The network is this machine's loopback.
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { missingNamespace } from "./left_out.ts";

/** Over these folders an empty one is laid; /run first, the changes to /etc lie there. */
const EMPTY = ["/run", "/usr/local/bin", "/var/lib", "/var/spool"];

// Starts what the unit says as systemd does: with nothing of the installer's environment. SIGTERM to stop it.
const SYSTEMCTL = `#!/bin/sh
unit=/etc/systemd/system/restic-manager-agent.service
echo "$*" >> /run/told
alive() { [ -s /run/agent.pid ] && kill -0 "$(cat /run/agent.pid)" 2>/dev/null; }
stop() {
  alive || return 0
  kill "$(cat /run/agent.pid)"
  for _ in $(seq 400); do alive || return 0; sleep 0.05; done
  return 1
}
case "$1 $2" in
  "start "*)
    alive && exit 0
    program=$(sed -n 's/^ExecStart=//p' $unit)
    file=$(sed -n 's/^EnvironmentFile=-//p' $unit)
    setsid env -i PATH="$PATH" $(sed 's/"//g' "$file" 2>/dev/null) $program >> /run/agent.log 2>&1 < /dev/null &
    echo $! > /run/agent.pid ;;
  "stop "* | "disable --now") stop ;;
  "show "*)
    [ -e $unit ] && echo LoadState=loaded || echo LoadState=not-found
    alive && echo ActiveState=active || echo ActiveState=inactive ;;
  "list-unit-files "*) printf 'old-backup.timer enabled\\nlogrotate.timer enabled\\n' ;;
  "cat old-backup.timer") echo "ExecStart=/usr/bin/restic backup /home" ;;
  "cat "*) echo "# restic is only spoken of" ;;
esac
`;

export interface Ran {
  code: number;
  /** Both streams. */
  said: string;
}

/** Only a machine of a test has it: what is meant for one must never reach the machine that runs the test. */
const MARK = "/run/machine-of-a-test";

const MOUNTS = `${EMPTY.map((path) => `mount -t tmpfs -o mode=0755 none ${path}`).join("\n")}
mkdir -p /run/systemd/system /run/etc /run/work /var/spool/cron
touch ${MARK}
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work none /etc`;

/** Why no such machine can be made here, or undefined. */
export function missingForMachine(): string | undefined {
  return missingNamespace(["--mount", "--pid", "--fork", "--mount-proc"], MOUNTS);
}

export class Machine implements AsyncDisposable {
  private constructor(readonly folder: string, readonly holder: Deno.ChildProcess) {}

  /** Where missingForMachine() has nothing to say. */
  static async start(): Promise<Machine> {
    const folder = await Deno.makeTempDir({ prefix: "rm-machine-" });
    await Deno.writeTextFile(join(folder, "systemctl"), SYSTEMCTL, { mode: 0o755 });
    const holder = new Deno.Command("unshare", {
      args: [
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-ec",
        `${MOUNTS}
         cp ${folder}/systemctl /usr/local/bin/
         touch ${folder}/ready
         # As the first process of a system does: takes note of all that ends.
         exec bash -c 'while :; do sleep 60 & wait $!; done'`,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const machine = new Machine(folder, holder);
    let hasEnded = false;
    holder.status.then(() => hasEnded = true);
    const isReady = await eventually(
      "the machine is there",
      () => hasEnded || Deno.stat(join(folder, "ready")).then(() => true, () => false),
    );
    if (isReady && !hasEnded) return machine;
    await machine[Symbol.asyncDispose]();
    throw new Error("the machine could not be made");
  }

  /** Runs shell code as root of that machine. */
  async run(code: string, env: Record<string, string> = {}): Promise<Ran> {
    const { code: exit, stdout, stderr } = await this.#command(code, env).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code: exit, said: decode(stdout) + decode(stderr) };
  }

  /** The same without waiting for its end. */
  spawn(code: string, env: Record<string, string> = {}): Deno.ChildProcess {
    return this.#command(code, env).spawn();
  }

  #command(code: string, env: Record<string, string>): Deno.Command {
    return new Deno.Command("nsenter", {
      // --root: joining a namespace alone leads to its outermost root, also out of a chroot in which this test may run.
      args: [
        ...["--target", `${this.#inside()}`, "--mount", "--root", "--pid"],
        ...["bash", "-c", `[ -e ${MARK} ] || exit 99; exec bash -c "$0"`, code],
      ],
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...env },
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** The first process of the namespace: the child of unshare. */
  #inside(): number {
    const { pid } = this.holder;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
    return Number(children.split(" ")[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // Everything in the namespace ends with its first process.
      this.holder.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.holder.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}
