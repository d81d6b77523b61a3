// The programs as `deno task build` makes them for this machine, in a folder that anybody may read.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs the build for one target; answers what it printed. Rejects when it fails. */
export async function build(target: string, out: string, root = ROOT): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "deploy/build.ts", "--target", target, "--out", out],
    cwd: root,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`the build failed: ${decode(stderr)}`);
  return decode(stdout) + decode(stderr);
}

/** The native programs under names without a system, away from the checkout. The caller removes the folder. */
export async function buildForTests(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "rm-programs-" });
  await Deno.chmod(folder, 0o755);
  const target = `linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
  await build(target, folder);
  for (const name of ["server", "agent"]) {
    await Deno.rename(
      join(folder, `restic-manager-${name}-${target}`),
      join(folder, `restic-manager-${name}`),
    );
  }
  return folder;
}
