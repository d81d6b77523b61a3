// On which file system a path lies, in words that are the same again after a restart of the machine: where a disk should be
// mounted and is not, the folder lies on the file system around it.
import { basename } from "node:path";
import { z } from "zod";
import { jsonAs, type StateFolder } from "./state/folder.ts";

/** Such as "ext4 /dev/sdb1 at /data"; undefined where it cannot be told. */
export async function fileSystemOf(path: string): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(path);
    if (Deno.build.os === "windows") {
      const { dev } = await Deno.stat(real);
      return dev ? `volume ${dev}` : undefined;
    }
    const mounts = await readMounts();
    return mounts.findLast(({ at }) => real === at || real.startsWith(at === "/" ? at : `${at}/`))
      ?.name;
  } catch {
    // The backup goes on: this is a second look, and restic says itself what it cannot read.
    return undefined;
  }
}

interface Mount {
  at: string;
  name: string;
}

/** The innermost last. Read by another program: Deno opens /proc only to programs with every permission. */
async function readMounts(): Promise<Mount[]> {
  const { stdout } = await new Deno.Command("/bin/cat", {
    args: ["/proc/self/mountinfo"],
    stderr: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  const disks = readDisks();
  const mounts = lines.flatMap((line) => readMount(line, disks) ?? []);
  // Of two at one place the later one covers the other; the sort keeps their order.
  return mounts.sort((a, b) => a.at.length - b.at.length);
}

/** Which file system lies on /dev/sdb1: that name may be another disk's after a restart. Empty where it cannot be told. */
function readDisks(folder = "/dev/disk/by-uuid"): Map<string, string> {
  const disks = new Map<string, string>();
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      disks.set(`/dev/${basename(Deno.readLinkSync(`${folder}/${name}`))}`, `UUID=${name}`);
    }
  } catch {
    // Where udev does not run the kernel's names have to do.
  }
  return disks;
}

/**
 * proc(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw". `disks`: the file system on each device, as far
 * as it is known.
 */
export function readMount(line: string, disks: Map<string, string>): Mount | undefined {
  const [place, what] = line.split(" - ");
  const [, , , root, at] = place?.split(" ").map(unescaped) ?? [];
  const [type, source] = what?.split(" ").map(unescaped) ?? [];
  if (!root || !at || !type || source === undefined) return undefined;
  const part = root === "/" ? "" : ` ${withoutNumbers(root)}`;
  return { at, name: `${type} ${disks.get(source) ?? withoutNumbers(source)}${part} at ${at}` };
}

/** A hook that mounts a snapshot, also one that is a folder of its volume, names it by its day, its moment or a number. */
function withoutNumbers(text: string): string {
  return text.replace(/\d{4,}|(?<=[-_@.:/]|\dT|^\/dev\/loop)\d+/g, "#");
}

function unescaped(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

const Content = z.record(z.string(), z.record(z.string(), z.string()));

const FILE = "file_systems.json";

/** Per source group: on which file system each of its paths was at the last good backup. */
export class FileSystemMemory {
  #content: z.infer<typeof Content> = {};

  /** Never throws. */
  constructor(private readonly folder: StateFolder) {
    const { value, damage } = folder.read(FILE, jsonAs(Content));
    if (value) this.#content = value;
    if (!damage) return;
    folder.problems.happened(
      `${damage.what}. Whether a disk is missing is seen again from the next good backup on.`,
      damage.aside,
    );
  }

  of(groupId: string): Record<string, string> {
    return this.#content[groupId] ?? {};
  }

  remember(groupId: string, fileSystems: Record<string, string>): void {
    if (JSON.stringify(this.of(groupId)) === JSON.stringify(fileSystems)) return;
    this.#content = { ...this.#content, [groupId]: fileSystems };
    this.folder.write(FILE, JSON.stringify(this.#content));
  }
}
