// Who may do what with a data folder. Both locks are the operating system's: they end with the process that holds them, however
// it ends, so that nothing that a crash leaves behind is ever believed.
//
//   server.lock  held by the server for as long as it runs, and by anyone who migrates
//   start.lock   held by everybody who opens the folder until it is ready: anyone who waits for it finds a database and a key
//                that are whole, and whether a server runs is not asked in the moment in which one starts
import { join } from "node:path";
import { messageOf } from "../../shared/log.ts";
import { DatabaseError } from "./database_error.ts";
import { giveToOwnerOf } from "./owner.ts";

export const START_LOCK = "start.lock";
const POLL_MS = 25;
/** A migration of a large database takes its time. */
const LONGEST_START_MS = 300_000;

export interface Lock {
  release(): void;
}

/** Makes the folder where there is none. Throws DatabaseError. */
export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DatabaseError(`The data folder ${dataDir} cannot be made: ${messageOf(error)}.`);
  }
}

/** Waits until nobody else opens the folder. Throws DatabaseError when that takes more than five minutes. */
export async function lockStart(dataDir: string, longestMs = LONGEST_START_MS): Promise<Lock> {
  await makeDataDir(dataDir);
  const until = performance.now() + longestMs;
  for (;;) {
    const lock = await tryLock(dataDir, START_LOCK);
    if (lock) return lock;
    if (performance.now() > until) {
      throw new DatabaseError(
        `Another restic-manager-server has been opening ${dataDir} for minutes. End it, then try again.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** undefined while a server runs on the folder, of whatever version. Ask with the lock of the start in hand. */
export async function tryLockServer(dataDir: string): Promise<Lock | undefined> {
  return await tryLock(dataDir, "server.lock");
}

async function tryLock(dataDir: string, name: string): Promise<Lock | undefined> {
  const path = join(dataDir, name);
  let file: Deno.FsFile;
  try {
    file = await openLock(dataDir, path);
  } catch (error) {
    throw new DatabaseError(`${path} cannot be written: ${messageOf(error)}.`);
  }
  if (await file.tryLock(true).catch(() => false)) return { release: () => file.close() };
  file.close();
  return undefined;
}

async function openLock(dataDir: string, path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
  await giveToOwnerOf(dataDir, path);
  return file;
}
