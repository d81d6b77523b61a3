import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { firstOf, leaveOut, missingProgram } from "../support/left_out.ts";
import { Machine, missingForMachine } from "../support/machine.ts";
import { AGENT } from "../support/on_machine.ts";
import { anyRestic } from "../support/restic.ts";
import { startServer } from "../support/start_server.ts";

/** Stands in the agent's place: whoever starts it leaves a mark. */
const PROGRAM = `#!/bin/sh
echo "$*" >> /run/started
case $1 in version) echo restic-manager-agent 0.1.0 ;; install) mkdir -p /etc/restic-manager; exit 0 ;; esac
`;

/** Something between the machine and the server that changes what comes by. */
type Tamper = (path: string, body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined;
const isProgram = (path: string) => path.startsWith("/agent/binary?");
const TAMPERED: Record<string, Tamper> = {
  "one bit is turned": (path, body) => {
    if (isProgram(path)) body[20]! ^= 1;
    return body;
  },
  "a line is added": (path, body) =>
    isProgram(path) ? new Uint8Array([...body, ...new TextEncoder().encode("id\n")]) : body,
  "it is cut off": (path, body) => isProgram(path) ? body.slice(0, -5) : body,
  "it is empty": (path, body) => isProgram(path) ? new Uint8Array(0) : body,
  "the checksum is another": (path, body) =>
    path.includes("sha256") ? new TextEncoder().encode("ab".repeat(32)) : body,
  "the checksum is no checksum": (path, body) =>
    path.includes("sha256") ? new TextEncoder().encode("") : body,
  "the checksum is not handed out": (path, body) => path.includes("sha256") ? undefined : body,
};

const missing = firstOf(missingForMachine(), await missingProgram("curl"));
const PROMISE = "an agent that was changed on its way is not installed and not started";
if (missing) leaveOut(`S36: ${PROMISE}`, missing);
else {
  attack({
    id: "S36",
    promise: PROMISE,
    done:
      `install.sh runs on a machine of the test's own, and what stands between changes the program or its checksum in ${
        Object.keys(TAMPERED).length
      } ways; before and after that nothing is changed`,
    expected:
      "it ends with 1 and a sentence, nothing under the program's name, nothing started; unchanged it is installed, and a later attack leaves that as it is",
  }, async (see) => {
    await using machine = await Machine.start();
    await using test = await startServer();
    const folder = join(test.dataDir, "agent-binaries");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, AGENT), PROGRAM);
    let tamper: Tamper = (_, body) => body;
    await using between = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        const answer = await fetch(test.url + pathname + search);
        const body = tamper(pathname + search, new Uint8Array(await answer.arrayBuffer()));
        return body
          ? new Response(body, { status: answer.status })
          : new Response("", { status: 502 });
      },
    );
    const server = `http://127.0.0.1:${between.addr.port}`;
    // restic is there, and no service manager: what is looked at is the download.
    const install = () =>
      machine.run(
        `mv /run/systemd /run/no-systemd 2>/dev/null; ln -sf ${
          anyRestic()!.path
        } /usr/local/bin/restic
         curl -fsS ${server}/install/install.sh | sed 's/--retry 3/--retry 0/' | sh`,
        { RM_SERVER: server, RM_TOKEN: "rmt_x" },
      );
    const started = async () => (await machine.run("cat /run/started 2>/dev/null")).said;
    const seen: string[] = [];
    const tryAll = async (expected: string) => {
      for (const [what, change] of Object.entries(TAMPERED)) {
        tamper = change;
        const { code, said } = await install();
        assert.equal(code, 1, `${what}: ${said}`);
        const there = await machine.run("cat /usr/local/bin/restic-manager-agent 2>/dev/null");
        assert.equal(there.said, expected, what);
        seen.push(`${what}: ${said.trim().split("\n").at(-1)}`);
      }
    };
    await tryAll("");
    assert.equal(await started(), "", "nothing of it was started");
    tamper = (_, body) => body;
    const good = await install();
    assert.equal(good.code, 0, good.said);
    const before = await started();
    assert.match(before, /^version\n/);
    await tryAll(PROGRAM);
    assert.equal(await started(), before);
    see(`${[...new Set(seen)].join("; ")}; unchanged: installed`);
  });
}
