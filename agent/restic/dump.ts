// restic's arguments to send what a snapshot holds, and to look at what it is first. Paths are literal in both, in every version, and there is
// no lock: what must not go meanwhile the server keeps there.
import { joinBytes } from "../archive/bytes.ts";
import { exactArguments, pathBytes } from "./exact_arguments.ts";
import type { RunOptions } from "./run.ts";
import type { FolderOfSnapshot } from "./tree.ts";

type Command = Pick<RunOptions, "args" | "bytes">;

/** A file as it is; a folder as a tar of what is in it, whose members have the whole path. A link or device is refused by restic. */
export function dumpCommand(
  { snapshot, names }: FolderOfSnapshot,
  more: string[],
): Command {
  const path = names.length === 0 ? "/" : pathBytes(names);
  return exactArguments(["dump", "--no-lock", "--archive", "tar", ...more], [[idOf(snapshot)], [
    path,
  ]]);
}

/** Lists what stands under these paths, and of folders also what is in them. What is not there is no error. */
export function lookCommand(snapshot: string, paths: Uint8Array[][]): Command {
  return exactArguments(
    ["ls", "--no-lock", "--json"],
    [[idOf(snapshot)], ...paths.map((names) => [pathBytes(names)])],
  );
}

/** With all 64 digits 0.16 asks for a snapshot that is gone for a minute. */
function idOf(snapshot: string): string {
  return snapshot.slice(0, 63);
}

/** What an argument takes, roughly: what is no text is written in octal. */
export function argumentBytes(names: Uint8Array[]): number {
  return joinBytes(names).length * 5 + names.length * 5 + 16;
}
