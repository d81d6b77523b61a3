// A bundle and Deno's runtime become a program that may do what is written here and nothing else.
import { join } from "node:path";
import type { ProgramName } from "./bundle.ts";
import { TARGETS } from "./targets.ts";

/** What each program may do. These are fixed in it: no argument and no environment variable changes them. */
export const PERMISSIONS: Record<ProgramName, string[]> = {
  server: [
    // Listens where RM_LISTEN says. Deno cannot tell listening from dialling out.
    "--allow-net",
    // The data folder, key file and the *_FILE twins are named when it starts, as is the target of backup-database.
    "--allow-read",
    "--allow-write",
    // Its settings and nothing of what else is in the environment.
    "--allow-env=RM_*",
    // Its own addresses, which are for whom a machine's proof may be made where RM_BASE_URL is not set; free room on its disk; how long the
    // machine has been up, to tell a clock that was set while the server was away.
    "--allow-sys=networkInterfaces,statfs,osUptime",
    // Not run: it never starts a program.
  ],
  agent: [
    // The server that RM_SERVER names, and a REST repository when one is to be made.
    "--allow-net",
    // Its folders can be chosen; local repositories are looked at before one is made.
    "--allow-read",
    "--allow-write",
    // restic's environment takes over what the machine sets for it (proxies, TZ, SystemRoot …), and hooks get it whole.
    "--allow-env",
    // What it says of the machine, and whether there is room for restic's cache.
    "--allow-sys=hostname,osUptime,statfs,uid,gid",
    // restic where RM_RESTIC says, or where it appears on PATH later: Deno resolves a list of names once, at the start. Hooks
    // run through a shell by design, and with a shell every list would be for show.
    "--allow-run",
  ],
};

const ALWAYS = [
  // Otherwise it would load machine code from a file with a known name in the temporary folder, whoever put it there.
  "--no-code-cache",
  // A missing permission is an error; nobody is there to be asked.
  "--no-prompt",
  // Code comes from inside the program only.
  "--deny-import",
  // Neither deno.json nor the lock file: the bundle is complete and already checked.
  "--no-config",
  "--no-lock",
  "--no-check",
  "--no-remote",
  "--no-npm",
];

export interface Compilation {
  program: ProgramName;
  target: string;
  /** The folder that bundleProgram() made. */
  bundled: string;
  path: string;
}

export async function compileProgram({ program, target, bundled, path }: Compilation) {
  const { triple, runtime } = TARGETS[target]!;
  const files = [...Deno.readDirSync(bundled)].map(({ name }) => name).sort();
  const included = files.filter((name) => name !== "main.js");
  const denort = Deno.env.get("DENORT_BIN") ?? await cachedRuntime(runtime);
  // Replaced in one step: the program may be running.
  const beside = `${path}.new${TARGETS[target]!.extension}`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--quiet",
      ...ALWAYS,
      ...PERMISSIONS[program],
      ...included.flatMap((name) => ["--include", name]),
      "--target",
      triple,
      "--output",
      beside,
      "main.js",
    ],
    cwd: bundled,
    env: { DENO_NO_UPDATE_CHECK: "1", ...(denort ? { DENORT_BIN: denort } : {}) },
    stdout: "null",
  }).output();
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`${program} could not be compiled for ${target}:\n${said}`);
  }
  await Deno.rename(beside, path);
}

/** The runtime from DENORT_CACHE; undefined lets Deno download its own. */
async function cachedRuntime(name: string): Promise<string | undefined> {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? "";
  const cache = Deno.env.get("DENORT_CACHE") ??
    join(Deno.env.get("XDG_CACHE_HOME") ?? join(home, ".cache"), `denort-${Deno.version.deno}`);
  const path = join(cache, name);
  return await Deno.stat(path).then(() => path, () => undefined);
}
