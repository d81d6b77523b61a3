// Holds what is there now against what the snapshot holds: each entry is there, of its type, and a file has its size. restic's own
// summary counts what it could not write as written.
import type { TreeEntryType } from "../../shared/tree.ts";
import type { JobControl } from "../jobs/control.ts";
import { LineSplitter } from "../restic/lines.ts";
import { reasonOf } from "../state/folder.ts";
import type { Expected, ExpectedEntry } from "./expected.ts";
import type { Failures } from "./failures.ts";
import type { PlaceOf } from "./place.ts";
import { lstat } from "./target.ts";

/** At once: a disk answers some questions faster than one after another. */
const AT_ONCE = 64;

interface Wanted {
  placeOf: PlaceOf;
  /** A file that was kept as it was may have another size. */
  sizesMayDiffer: boolean;
  failures: Failures;
  control: Pick<JobControl, "stopped">;
}

export async function verify({ file }: Expected, wanted: Wanted): Promise<void> {
  let waiting: ExpectedEntry[] = [];
  const lines = new LineSplitter((line) => waiting.push(JSON.parse(line)), 4_194_304);
  const flush = async () => {
    for (let at = 0; at < waiting.length && !wanted.control.stopped; at += AT_ONCE) {
      await Promise.all(waiting.slice(at, at + AT_ONCE).map((entry) => look(entry, wanted)));
    }
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

async function look([type, path, size]: ExpectedEntry, wanted: Wanted): Promise<void> {
  const place = wanted.placeOf(path);
  // restic alone can say what became of a name that is no text.
  if (place === undefined || wanted.failures.has(path)) return;
  const problem = await problemOf(place, type, wanted.sizesMayDiffer ? null : size);
  if (problem) wanted.failures.add({ path, problem });
}

async function problemOf(
  place: string,
  type: TreeEntryType,
  size: number | null,
): Promise<string | undefined> {
  try {
    const info = await lstat(place);
    if (!info) return "it is not there";
    if (typeOf(info) !== (type === "file" || type === "folder" || type === "link" ? type : null)) {
      return "something else is in its place";
    }
    return size !== null && info.size !== size
      ? `it has ${info.size} bytes instead of ${size}`
      : undefined;
  } catch (error) {
    return `it cannot be looked at: ${reasonOf(error)}`;
  }
}

/** null for what is neither. */
function typeOf({ isSymlink, isDirectory, isFile }: Deno.FileInfo): TreeEntryType | null {
  return isSymlink ? "link" : isDirectory ? "folder" : isFile ? "file" : null;
}
