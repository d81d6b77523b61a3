// Everything that a program is made of in one file of JavaScript: `deno compile` alone would put every package of the lock
// file into it, those of the tests too.
import { join } from "node:path";

export type ProgramName = "server" | "agent";

export interface Commit {
  /** Twelve digits, or undefined outside a git checkout. */
  id: string | undefined;
  date: Date;
  hasChanges: boolean;
}

/** What the checkout holds. The time of the commit, not of the build, so that the same commit gives the same bytes. */
export async function readCommit(root: string): Promise<Commit> {
  const shown = await git(root, ["show", "-s", "--format=%H %ct", "HEAD"]);
  if (shown === undefined) return { id: undefined, date: new Date(0), hasChanges: false };
  const [id, seconds] = shown.split(" ");
  const changes = await git(root, ["status", "--porcelain"]);
  return { id: id!.slice(0, 12), date: new Date(Number(seconds) * 1000), hasChanges: !!changes };
}

/** How `version` tells the commit. */
export function printed({ id, date, hasChanges }: Commit): string {
  if (!id) return "of an unknown commit";
  return `commit ${id}${hasChanges ? " with changes" : ""}, ${date.toISOString().slice(0, 10)}`;
}

/** Workers are programs of their own; the bundler leaves `new Worker(new URL(…))` as it is. */
const WORKERS: Record<ProgramName, string[]> = {
  server: ["server/users/password_worker.ts"],
  agent: [],
};

/** Bundles a program into a new temporary folder: main.js, and its workers beside it. */
export async function bundleProgram(
  root: string,
  program: ProgramName,
  commit: Commit,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "rm-bundle-" });
  const entries = [`${program}/main.ts`, ...WORKERS[program]];
  for (const entry of entries) {
    const name = entry.split("/").at(-1)!.replace(/\.ts$/, ".js");
    const path = join(folder, name);
    await bundle(root, entry, path);
    const text = stamp(withoutMachine(await Deno.readTextFile(path)), name === "main.js", commit);
    await Deno.writeTextFile(path, text);
    // Their times are put into the program too.
    await Deno.utime(path, commit.date, commit.date);
  }
  return folder;
}

async function bundle(root: string, entry: string, output: string): Promise<void> {
  // Neither minified nor with a source map: names and files stay readable in a stack trace, and the map would cost 20 MB
  // of memory and carry this machine's paths.
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--output", output, entry],
    cwd: root,
    stdout: "null",
  }).output();
  if (!success) {
    throw new Error(`${entry} could not be bundled:\n${new TextDecoder().decode(stderr)}`);
  }
}

/** Names of packages are in the bundle with the path of this machine's cache before them. */
function withoutMachine(text: string): string {
  return text.replaceAll(
    /(?:\.\.\/|\/)[^\s"]*\/npm\/[^/\s"]+\/(?=[^\s"]+\.(?:[cm]?js|json)\b)/g,
    "npm/",
  );
}

const UNSTAMPED = 'BUILD = "from source"';

function stamp(text: string, isMain: boolean, commit: Commit): string {
  if (!isMain) return text;
  const parts = text.split(UNSTAMPED);
  if (parts.length !== 2) throw new Error("shared/version.ts was not found in the bundle once");
  return parts.join(`BUILD = ${JSON.stringify(printed(commit))}`);
}

async function git(root: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", root, ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
