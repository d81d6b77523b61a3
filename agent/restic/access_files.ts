// Files that a repository's access needs on this machine: those that an admin named, which nobody but root may be able to
// write, since what is in them may run a program; and the certificate authority, which restic takes as a file only.
import { join } from "node:path";
import { FILE_NAMES } from "../../shared/repository_environment.ts";
import { replaceFile } from "../files.ts";
import type { StateFolder } from "../state/folder.ts";
import { whyUntrusted } from "../trusted_file.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

/** A sentence about the first file that cannot be trusted; undefined when all can. */
export function untrustedFile({ environment }: RepositoryAccess): string | undefined {
  for (const name of FILE_NAMES) {
    const path = environment[name];
    const problem = path === undefined ? undefined : whyUntrusted(path);
    if (problem) return `${name}: ${path} ${problem}. Nothing was run with it.`;
  }
  return undefined;
}

/** Where the repository's certificate authority lies now; undefined when it has none. */
export function authorityFile(
  state: StateFolder,
  { id, certificate_authority }: RepositoryAccess,
): string | undefined {
  if (!certificate_authority) return undefined;
  const name = `${id}.pem`;
  const path = join(state.path, "authorities", name);
  if (holds(path, certificate_authority)) return path;
  const place = join(state.scratch("authorities"), name);
  replaceFile(place, certificate_authority);
  return place;
}

/** What cannot be read is written again: it is a copy of what the server said. */
function holds(path: string, content: string): boolean {
  try {
    return Deno.readTextFileSync(path) === content;
  } catch {
    return false;
  }
}
