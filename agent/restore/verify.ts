// Holds what is there now against what the snapshot holds: each entry is there, of its type, and a file has its size. restic's own
// summary counts what it could not write as written.
import { statfsSync } from "node:fs";
import type { TreeEntryType } from "../../shared/tree.ts";
import type { JobControl } from "../jobs/control.ts";
import { LineSplitter } from "../restic/lines.ts";
import { reasonOf } from "../state/folder.ts";
import type { Expected, ExpectedEntry } from "./expected.ts";
import type { Failures } from "./failures.ts";
import type { PlaceOf } from "./place.ts";
import { lstat } from "./target.ts";

/** At once: a share answers some questions faster than one after another. */
const AT_ONCE = 64;
/** Then the agent's other work has its turn. */
const SLICE_MS = 5;

/** File systems of disks and memory (statfs(2), f_type), which answer at once: asked without a thread each costs a sixth. */
const LOCAL = [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010];

interface Wanted {
  /** Folders that were written to. */
  targets: string[];
  placeOf: PlaceOf;
  /** A file that was kept as it was may have another size. */
  sizesMayDiffer: boolean;
  failures: Failures;
  control: Pick<JobControl, "stopped">;
}

export async function verify({ file }: Expected, wanted: Wanted): Promise<void> {
  let waiting: ExpectedEntry[] = [];
  const lines = new LineSplitter((line) => waiting.push(JSON.parse(line)), 4_194_304);
  const lookAtAll = wanted.targets.every(isLocal) ? lookInSlices : lookAtOnce;
  const flush = async () => {
    await lookAtAll(waiting, wanted);
    waiting = [];
  };
  using opened = Deno.openSync(file);
  for await (const chunk of opened.readable) {
    lines.push(chunk);
    await flush();
    if (wanted.control.stopped) return;
  }
  lines.end();
  await flush();
}

function isLocal(folder: string): boolean {
  try {
    return LOCAL.includes(statfsSync(folder).type);
  } catch {
    // It is looked at in the way that never holds up anything.
    return false;
  }
}

/** A mount that does not answer holds up nothing but this. */
async function lookAtOnce(entries: ExpectedEntry[], wanted: Wanted): Promise<void> {
  for (let at = 0; at < entries.length && !wanted.control.stopped; at += AT_ONCE) {
    await Promise.all(
      entries.slice(at, at + AT_ONCE).map(async (entry) => {
        const place = placeToLookAt(entry, wanted);
        if (place === undefined) return;
        const info = await lstat(place).catch((error: unknown) => error as Error);
        note(entry, info, wanted);
      }),
    );
  }
}

async function lookInSlices(entries: ExpectedEntry[], wanted: Wanted): Promise<void> {
  let began = performance.now();
  for (const entry of entries) {
    if (wanted.control.stopped) return;
    const place = placeToLookAt(entry, wanted);
    if (place !== undefined) note(entry, lstatNow(place), wanted);
    if (performance.now() - began < SLICE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    began = performance.now();
  }
}

function lstatNow(place: string): Deno.FileInfo | Error | undefined {
  try {
    return Deno.lstatSync(place);
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    return isNone ? undefined : error as Error;
  }
}

/** undefined for what restic alone can say something of, or has said: a name that is no text, an item that failed. */
function placeToLookAt([, path]: ExpectedEntry, wanted: Wanted): string | undefined {
  return wanted.failures.has(path) ? undefined : wanted.placeOf(path);
}

function note(
  [type, path, size]: ExpectedEntry,
  info: Deno.FileInfo | Error | undefined,
  { sizesMayDiffer, failures }: Wanted,
): void {
  const problem = info instanceof Error
    ? `it cannot be looked at: ${reasonOf(info)}`
    : problemOf(info, type, sizesMayDiffer ? null : size);
  if (problem) failures.add({ path, problem });
}

function problemOf(
  info: Deno.FileInfo | undefined,
  type: TreeEntryType,
  size: number | null,
): string | undefined {
  if (!info) return "it is not there";
  if (typeOf(info) !== (type === "file" || type === "folder" || type === "link" ? type : null)) {
    return "something else is in its place";
  }
  return size !== null && info.size !== size
    ? `it has ${info.size} bytes instead of ${size}`
    : undefined;
}

/** null for what is neither. */
function typeOf({ isSymlink, isDirectory, isFile }: Deno.FileInfo): TreeEntryType | null {
  return isSymlink ? "link" : isDirectory ? "folder" : isFile ? "file" : null;
}
