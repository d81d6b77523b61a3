// Files that must be whole or absent, and readable by nobody else.
import { dirname } from "node:path";

/** A file is there but does not hold what it should. The message names the file; the file is left as it is. */
export class CorruptFile extends Error {
  override name = "CorruptFile";
  constructor(readonly path: string, problem: string) {
    super(`${path} ${problem}. The file was left as it is.`);
  }
}

/** Replaces a file in one step: anyone who reads it, also after a power cut, sees the old or the new one whole. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const beside = `${path}.new`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    // An own leftover of an earlier crash may have other rights.
    removeIfThere(beside);
    const file = Deno.openSync(beside, { createNew: true, write: true, mode: 0o600 });
    try {
      writeAll(file, bytes);
      file.syncSync();
    } finally {
      file.close();
    }
    Deno.renameSync(beside, path);
  } catch (error) {
    removeIfThere(beside);
    throw error;
  }
  syncDirectory(dirname(path));
}

/**
 * Takes a file away from all but its owner; returns whether others could use it until now. Windows has access
 * lists instead (service/acl.ts).
 */
export function closeToOthers(path: string): boolean {
  if (Deno.build.os === "windows") return false;
  const mode = Deno.statSync(path).mode ?? 0;
  if ((mode & 0o077) === 0) return false;
  Deno.chmodSync(path, 0o600);
  return true;
}

/** The content, or undefined when there is no such file. */
export function readIfThere(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

export function makePrivateDirectory(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Makes a new or renamed entry survive a power cut. Windows neither has nor needs it. */
export function syncDirectory(path: string): void {
  if (Deno.build.os === "windows") return;
  const directory = Deno.openSync(path);
  try {
    directory.syncSync();
  } finally {
    directory.close();
  }
}

export function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}

/** The time as part of a file's name, such as 20261105T101112345Z. */
export function stampForName(): string {
  return new Date().toISOString().replaceAll(/[-:.]/g, "");
}

/** Whether there is anything of that name. Throws when that cannot be told. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
