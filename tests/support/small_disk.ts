// A disk of a few megabytes, where one may be mounted.
import { missingRoot } from "./left_out.ts";

/** Why none can be mounted here, or undefined. */
export async function missingSmallDisk(): Promise<string | undefined> {
  const root = missingRoot();
  if (root) return root;
  await using disk = await smallDisk(1);
  return disk.isSmall ? undefined : "a tmpfs cannot be mounted";
}

/** An empty folder; `isSmall` is false where nothing could be mounted there. */
export async function smallDisk(megabytes: number) {
  const folder = await Deno.makeTempDir({ prefix: "rm-small-disk-" });
  const isSmall = await run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "none", folder);
  return {
    folder,
    isSmall,
    async [Symbol.asyncDispose]() {
      if (isSmall) await run("umount", folder);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Writes a file `filler` until not a byte more fits. */
export async function fill(folder: string): Promise<void> {
  using file = await Deno.open(`${folder}/filler`, { write: true, create: true });
  const piece = new Uint8Array(4096);
  try {
    for (;;) await file.write(piece);
  } catch {
    // The disk is full, which is what was wanted.
  }
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stderr: "null" }).output()).success;
  } catch {
    // It is not on this machine.
    return false;
  }
}
