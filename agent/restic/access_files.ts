// Files that a repository's access needs on this machine: those that an admin named, which nobody but root may be able to
// write, since what is in them may run a program; and the certificate authority, which restic takes as a file only.
import { join } from "node:path";
import type { RepositoryAccess } from "../../shared/protocol.ts";
import { FILE_NAMES } from "../../shared/repository_environment.ts";
import { makePrivateDirectory, readIfThere, replaceFile } from "../files.ts";
import { whyUntrusted } from "../trusted_file.ts";

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
