// One agent per state directory: two would answer each other's orders and number one journal twice.
import { join } from "node:path";
import { makePrivateDirectory } from "./files.ts";

/** Another agent works in this state directory. */
export class AlreadyRunning extends Error {
  override name = "AlreadyRunning";
}

/** Holds the state directory until it is disposed or the process ends, however it ends. Throws AlreadyRunning. */
export function holdStateDirectory(stateDir: string): Disposable {
  makePrivateDirectory(stateDir);
  const path = join(stateDir, "lock");
  const file = Deno.openSync(path, { create: true, write: true, mode: 0o600 });
  if (!tryLock(file)) {
    file.close();
    throw new AlreadyRunning(
      `Another agent is running with the state directory ${stateDir} (it holds ${path}).`,
    );
  }
  return { [Symbol.dispose]: () => file.close() };
}

function tryLock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    // Windows throws where Linux answers false.
    return false;
  }
}
