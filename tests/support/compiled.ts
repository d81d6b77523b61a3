// The programs as `deno task build` makes them for this machine, in a folder that anybody may read.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAMS = ["restic-manager-server", "restic-manager-agent"];
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs the build for one target; returns what it printed. Rejects when it fails. */
export async function build(target: string, out: string, root = ROOT): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "deploy/build.ts", "--target", target, "--out", out],
    cwd: root,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`the build failed: ${decode(stderr)}`);
  return decode(stdout) + decode(stderr);
}

/** The folder in which all processes of a run of tests share one build; unset, each makes its own. */
export const SHARED_BUILD = "RM_TEST_SHARED_BUILD";

/** The native programs under names without a system, away from the checkout. The caller removes the folder. */
export async function buildForTests(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "rm-programs-" });
  await Deno.chmod(folder, 0o755);
  const shared = Deno.env.get(SHARED_BUILD);
  if (!shared) await buildNative(folder);
  else await copyOfOneBuild(join(shared, "programs"), folder);
  return folder;
}

/** The first one builds, the others wait for it. Each has a copy: some tests change it. */
async function copyOfOneBuild(built: string, folder: string): Promise<void> {
  using lock = await Deno.open(`${built}.lock`, { create: true, write: true });
  await lock.lock(true);
  const isBuilt = await Deno.stat(built).then(() => true, () => false);
  if (!isBuilt) {
    // A build that failed halfway is none.
    const unfinished = `${built}.unfinished`;
    await Deno.mkdir(unfinished, { recursive: true });
    await buildNative(unfinished);
    await Deno.rename(unfinished, built);
  }
  for (const name of PROGRAMS) await Deno.copyFile(join(built, name), join(folder, name));
}

async function buildNative(folder: string): Promise<void> {
  const target = `linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
  await build(target, folder);
  for (const name of PROGRAMS) {
    await Deno.rename(join(folder, `${name}-${target}`), join(folder, name));
  }
}
