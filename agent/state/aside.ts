// What is damaged is put aside under a free name, so that nothing is overwritten and nothing is lost that a person may want to look at.
import { basename } from "node:path";
import { syncDirectory } from "../files.ts";
import { dirname } from "node:path";

/** `jobs.json.bad-1` and the like. */
export const BAD_NAME = /\.bad-\d+$/;

/**
 * Renames a file or folder to the first free name ….bad-1, ….bad-2 and returns the new path, undefined when there is nothing of
 * that name. Throws what the file system says.
 */
export function putAside(path: string): string | undefined {
  if (!isTaken(path)) return undefined;
  for (let n = 1;; n++) {
    const aside = `${path}.bad-${n}`;
    if (isTaken(aside)) continue;
    Deno.renameSync(path, aside);
    syncIfPossible(dirname(path));
    return aside;
  }
}

/** Where it is now, as part of a sentence. */
export function keptAs(path: string, aside: string | undefined): string {
  return aside
    ? `it is kept as ${aside}`
    : `${basename(path)} could not be put aside and stays as it is`;
}

/** Also a link that leads nowhere takes a name. */
function isTaken(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function syncIfPossible(folder: string): void {
  try {
    syncDirectory(folder);
  } catch {
    // The new name holds for every program that runs; only a power cut in this moment could bring the old one back.
  }
}
