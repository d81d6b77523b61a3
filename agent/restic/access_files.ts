// Files that a repository's access needs on this machine: those that an admin named, which nobody but root may be able to
// write, since what is in them may run a program; and the certificate authority, which restic takes as a file only.
import { dirname, join } from "node:path";
import type { RepositoryAccess } from "../../shared/protocol.ts";
import { FILE_NAMES } from "../../shared/repository_environment.ts";
import { makePrivateDirectory, readIfThere, replaceFile } from "../files.ts";
import { messageOf } from "../log.ts";

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** A sentence about the first file that cannot be trusted; undefined when all can. */
export function untrustedFile({ environment }: RepositoryAccess): string | undefined {
  for (const name of FILE_NAMES) {
    const path = environment[name];
    const problem = path === undefined ? undefined : problemOf(path);
    if (problem) return `${name}: ${path} ${problem}. Nothing was run with it.`;
  }
  return undefined;
}

function problemOf(path: string): string | undefined {
  try {
    const real = Deno.realPathSync(path);
    if (!Deno.statSync(real).isFile) return "is no file";
    // Windows: the rights on files there are lists that Deno cannot read.
    if (Deno.build.os === "windows") return undefined;
    const places = new Set([...upwards(path), ...upwards(real)]);
    const open = [...places].find((place) => canOthersWrite(place, place === real));
    return open &&
      `can be changed by others than root (by its ${
        open === real ? "own mode or owner" : `folder ${open}`
      })`;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? "is not there"
      : `cannot be looked at: ${messageOf(error)}`;
  }
}

function upwards(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [path] : [path, ...upwards(folder)];
}

/** In a folder with the sticky bit others cannot replace what is not theirs. */
function canOthersWrite(place: string, isFile: boolean): boolean {
  const { mode, uid, isSymlink } = Deno.lstatSync(place);
  if (uid !== 0 && uid !== Deno.uid()) return true;
  if (isSymlink || mode === null || (mode & OTHERS_WRITE) === 0) return false;
  return isFile || (mode & STICKY) === 0;
}

/** Where the repository's certificate authority lies now; undefined when it has none. */
export function authorityFile(
  stateDir: string,
  { id, certificate_authority }: RepositoryAccess,
): string | undefined {
  if (!certificate_authority) return undefined;
  const folder = join(stateDir, "authorities");
  makePrivateDirectory(folder);
  const path = join(folder, `${id}.pem`);
  const bytes = readIfThere(path);
  if (!bytes || new TextDecoder().decode(bytes) !== certificate_authority) {
    replaceFile(path, certificate_authority);
  }
  return path;
}
