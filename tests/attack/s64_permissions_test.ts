import assert from "node:assert/strict";
import { join } from "node:path";
import { PERMISSIONS } from "../../deploy/build/compile.ts";
import { attack } from "../support/trial.ts";
import { testFolder } from "../support/start_agent.ts";

/** What code that someone brought into a program would try; each answers whether it could. */
const TRIES = `
const tries = {
  "start a program": () => new Deno.Command("/bin/true").outputSync(),
  "start a shell": () => new Deno.Command("sh", { args: ["-c", "id"] }).outputSync(),
  "load machine code": () => Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {}),
  "read a variable of others": () => Deno.env.get("AWS_SECRET_ACCESS_KEY"),
  "read all variables": () => Deno.env.toObject(),
  "set PATH": () => Deno.env.set("PATH", "/tmp"),
  "load code from elsewhere": () => import(MODULE).catch((error) => {
    throw new Deno.errors.NotCapable(String(error));
  }),
  "see which user it is": () => Deno.uid(),
  "read the system's release": () => Deno.osRelease(),
  "ask for more": () => Deno.permissions.request({ name: "run" }).then(({ state }) => {
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  }),
  "read its own settings": () => Deno.env.get("RM_LISTEN"),
};
const could = [];
for (const [what, act] of Object.entries(tries)) {
  try { await act(); could.push(what); } catch (error) {
    // Whatever else fails was allowed to be tried.
    if (!(error instanceof Deno.errors.NotCapable)) could.push(what);
  }
}
console.log(JSON.stringify(could));
`;

attack({
  id: "S64",
  promise:
    "a fault in the server does not become a program that runs, nor does one in the agent reach further than restic and hooks need",
  done:
    "code that tries what an intruder would try runs with exactly the permissions that are compiled into each program, with more of them wished for by arguments and environment",
  expected:
    "the server can do none of it but read its own settings; the agent can start programs, read variables and see which user it is, as it must, and no more",
}, async (see) => {
  using folder = testFolder();
  await using elsewhere = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("export {}", { headers: { "content-type": "text/javascript" } }),
  );
  const module = `http://127.0.0.1:${elsewhere.addr.port}/x.js`;
  const script = join(folder.path, "intruder.ts");
  await Deno.writeTextFile(script, `const MODULE = "${module}";${TRIES}`);
  const could = async (program: "server" | "agent") => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-config", "--no-prompt", "--no-check", "--deny-import", "--no-remote"],
        ...PERMISSIONS[program],
        script,
        // Behind the script they are arguments and nothing else.
        ...["--allow-all", "--allow-run", "-A"],
      ],
      env: { AWS_SECRET_ACCESS_KEY: "x", RM_LISTEN: "y" },
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    try {
      return JSON.parse(text.decode(stdout)) as string[];
    } catch {
      throw new Error(text.decode(stderr));
    }
  };
  const [server, agent] = await Promise.all([could("server"), could("agent")]);
  see(`server: ${server.join(", ")}; agent: ${agent.join(", ")}`);
  assert.deepEqual(server, ["read its own settings"]);
  assert.deepEqual(agent, [
    "start a program",
    "start a shell",
    "read a variable of others",
    "read all variables",
    "set PATH",
    // It looks at who owns the folders that a restore goes into.
    "see which user it is",
    "ask for more",
    "read its own settings",
  ]);
  // What starts them from source asks for the same.
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  for (const program of ["server", "agent"] as const) {
    const flags = (tasks[program].command as string).split(" ").filter((word) =>
      word.startsWith("--")
    );
    assert.deepEqual(flags.sort(), [...PERMISSIONS[program]].sort());
  }
});
