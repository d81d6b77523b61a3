// One agent per state directory: two would answer each other's orders and number one journal twice.
import { join } from "node:path";
import { makePrivateDirectory } from "./files.ts";

/** Another agent works in this state directory. */
export class AlreadyRunning extends Error {
  override name = "AlreadyRunning";
}

/** Holds the state directory until it is disposed or the process ends, however it ends. Throws AlreadyRunning. */
export function holdStateDirectory(stateDir: string): Disposable {
  const held = holdFile(stateDir, "lock");
  if (held) return held;
  const path = join(stateDir, "lock");
  throw new AlreadyRunning(
    `Another agent is running with the state directory ${stateDir} (it holds ${path}).`,
  );
}

/** Holds a file of the state directory until it is disposed or the process ends; undefined while another process holds it. */
export function holdFile(stateDir: string, name: string): Disposable | undefined {
  makePrivateDirectory(stateDir);
  const file = openLock(join(stateDir, name), stateDir);
  if (tryLock(file)) return { [Symbol.dispose]: () => file.close() };
  file.close();
  return undefined;
}

/** On a disk that takes nothing the file of before, or the folder itself, is held as well as a new file. */
function openLock(path: string, stateDir: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { create: true, write: true, mode: 0o600 });
  } catch (error) {
    if (Deno.build.os === "windows") throw error;
    try {
      return Deno.openSync(path);
    } catch {
      return Deno.openSync(stateDir);
    }
  }
}

function tryLock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    // Windows throws where Linux answers false.
    return false;
  }
}
