// restic's cache only saves time, but a cache that cannot be written costs the backup: 0.18 fails with it, and 0.14 tries each file
// for three quarters of a minute (measured with a full disk). So restic runs without it where there is no room.
import { statfsSync } from "node:fs";
import { bytes } from "../../shared/bytes.ts";
import { makePrivateDirectory } from "../files.ts";
import { probe, reasonOf } from "../state/folder.ts";

/** restic keeps whole packs of up to 16 MiB there, and writes several at once. */
const ROOM = 64 * 1_048_576;

/** Why restic must run without its cache, as part of a sentence; undefined where it may use it. Makes the folder. */
export function cacheProblem(cacheDir: string): string | undefined {
  try {
    makePrivateDirectory(cacheDir);
    const { bavail, bsize } = statfsSync(cacheDir);
    const free = bavail * bsize;
    if (free < ROOM) return `there are only ${bytes(free)} left for it`;
    probe(cacheDir);
    return undefined;
  } catch (error) {
    return `its folder cannot be written: ${reasonOf(error)}`;
  }
}
