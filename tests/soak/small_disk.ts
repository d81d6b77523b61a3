// A disk of some megabytes that can be filled to its last byte, where this program may mount one.
import { join } from "node:path";

export class SmallDisk implements Disposable {
  private constructor(readonly folder: string) {}

  /** Undefined where it may not. */
  static mounted(megabytes: number): SmallDisk | undefined {
    const folder = Deno.makeTempDirSync({ prefix: "rm-small-disk-" });
    const { success } = run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "none", folder);
    if (success) return new SmallDisk(folder);
    Deno.removeSync(folder);
    return undefined;
  }

  fill(): void {
    run("dd", "if=/dev/zero", `of=${join(this.folder, "filler")}`, "bs=4096");
  }

  empty(): void {
    run("rm", "-f", join(this.folder, "filler"));
  }

  [Symbol.dispose](): void {
    run("umount", this.folder);
    Deno.removeSync(this.folder);
  }
}

function run(command: string, ...args: string[]): Deno.CommandOutput {
  return new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" })
    .outputSync();
}
