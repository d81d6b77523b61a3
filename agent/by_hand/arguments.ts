// What somebody at this machine asks of `restore`.
import { parseArgs } from "node:util";
import { type Overwrite, OVERWRITES } from "../../shared/job_kinds/restore.ts";
import { readSnapshotPath } from "../../shared/snapshot_path.ts";
import { messageOf } from "../../shared/log.ts";
import { isAbsoluteHere } from "../brake/roots.ts";

export const RESTORE_HELP =
  `restic-manager-agent restore: files of this machine's snapshots, also while the server is gone. As root.

Usage: restic-manager-agent restore --list
       restic-manager-agent restore [--snapshot ID] --path P … --target DIR
       restic-manager-agent restore [--snapshot ID] --path P … --in-place

  --list             say which snapshots there are, and restore nothing
  --snapshot ID      8 digits of its id or more; without it, or with latest, the newest that holds every path, had no warnings
                     as far as this machine knows, and is not what a restore wrote over
  --path P           a file or folder as it was on this machine, exactly; may be given several times. One whose name is
                     no text as --list and the server's pages write it: bytes:/caf%E9
  --target DIR       a folder that is new or empty; the same command goes on in one that was cut short
  --without-paths    the files and folders alone, without the folders that they were in
  --in-place         over what is there now, which is saved as a snapshot first (--no-undo: it is not)
  --overwrite WHICH  with --in-place: ${OVERWRITES.join(", ")}
  --dry-run          say what would be written
  --verify           read all of it again and compare every byte
  --yes              do not ask

Exit codes: 0 whole (also where only owners, modes or times could not be set), 1 not whole or not at all, 2 wrong use.
`;

export interface RestoreArguments {
  list: boolean;
  help: boolean;
  /** undefined: the latest, see chooseSnapshot(). */
  snapshot: string | undefined;
  /** As they stand in snapshots. */
  items: string[];
  target: string | undefined;
  keepPaths: boolean;
  inPlace: boolean;
  undo: boolean;
  overwrite: Overwrite;
  dryRun: boolean;
  verify: boolean;
  yes: boolean;
}

/** The message says what is wrong, and what is accepted. */
export class WrongArguments extends Error {
  override name = "WrongArguments";
}

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  list: { type: "boolean" },
  snapshot: { type: "string" },
  path: { type: "string", multiple: true },
  target: { type: "string" },
  "without-paths": { type: "boolean" },
  "in-place": { type: "boolean" },
  "no-undo": { type: "boolean" },
  overwrite: { type: "string" },
  "dry-run": { type: "boolean" },
  verify: { type: "boolean" },
  yes: { type: "boolean" },
} as const;

/** Throws WrongArguments. */
export function readRestoreArguments(args: string[]): RestoreArguments {
  const values = parse(args);
  const read: RestoreArguments = {
    help: values.help ?? false,
    list: values.list ?? false,
    snapshot: snapshotOf(values.snapshot),
    items: (values.path ?? []).map(itemOf),
    target: values.target,
    keepPaths: !values["without-paths"],
    inPlace: values["in-place"] ?? false,
    undo: !values["no-undo"],
    overwrite: overwriteOf(values.overwrite),
    dryRun: values["dry-run"] ?? false,
    verify: values.verify ?? false,
    yes: values.yes ?? false,
  };
  if (!read.help && !read.list) refuse(read);
  return read;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new WrongArguments(messageOf(error).replace(/\.?$/, "."));
  }
}

function refuse({ items, target, inPlace, overwrite }: RestoreArguments): void {
  if (items.length === 0) throw new WrongArguments("--path is missing: what to restore.");
  if (inPlace && target !== undefined) {
    throw new WrongArguments("--target and --in-place exclude each other.");
  }
  if (!inPlace && target === undefined) {
    throw new WrongArguments("--target is missing: a folder that is new or empty.");
  }
  if (target !== undefined && !isAbsoluteHere(target)) {
    throw new WrongArguments("--target must be an absolute folder.");
  }
  if (!inPlace && overwrite !== "always") {
    throw new WrongArguments("--overwrite goes with --in-place.");
  }
}

function snapshotOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "latest") return undefined;
  if (/^[0-9a-f]{8,64}$/.test(text)) return text;
  throw new WrongArguments("--snapshot must be latest, or 8 to 64 digits of a snapshot's id.");
}

function overwriteOf(text: string | undefined): Overwrite {
  if (text === undefined) return "always";
  const known = OVERWRITES.find((each) => each === text);
  if (known) return known;
  throw new WrongArguments(`--overwrite must be one of ${OVERWRITES.join(", ")}.`);
}

/** C:\Users is /C/Users in a snapshot. */
function itemOf(text: string): string {
  const path = Deno.build.os === "windows"
    ? text.replace(/^([A-Za-z]):(?=[\\/]|$)/, "/$1").replaceAll("\\", "/")
    : text;
  try {
    readSnapshotPath(path);
    return path;
  } catch (error) {
    throw new WrongArguments(`--path ${messageOf(error)}.`);
  }
}
