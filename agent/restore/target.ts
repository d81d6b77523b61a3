// The folder that files are restored into: new, empty, or that of the same restore which did not come to its end. While it is written to
// it is closed to everybody else, and nobody but root may be able to lead its path elsewhere.
import { statfs } from "node:fs/promises";
import type { RestoreOrder } from "../../shared/job_kinds/restore.ts";
import { messageOf } from "../../shared/log.ts";
import { placeLiesWithin, resolvedPlace } from "../brake/roots.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { failed, type Outcome } from "../restic/outcome.ts";
import { reasonOf } from "../state/folder.ts";
import { folderOf, isIn, joinHere } from "./place.ts";
import { keyOf, type Unfinished } from "./unfinished.ts";

export interface TargetFolder {
  /** With all links resolved. */
  path: string;
  continued: boolean;
  before: Unfinished["before"];
  /** Which folder was looked at; null where there was none. */
  device: number | null;
  inode: number | null;
}

const isWindows = Deno.build.os === "windows";
type FolderOrder = Extract<RestoreOrder["target"], { kind: "folder" }>;

function refused(reason: string): Outcome {
  return failed("target_refused", `Nothing was written: ${reason}`, null);
}

/** Looks at the folder without changing anything. */
export async function lookAtTarget(
  job: JobContextOf<"restore">,
  order: RestoreOrder & { target: FolderOrder },
): Promise<TargetFolder | Outcome> {
  const { path } = order.target;
  if (path.split(/[\\/]/).includes("..")) return refused(`${path} must be written without "..".`);
  let place: string;
  try {
    if ((await lstat(path))?.isSymlink) {
      return refused(`${path} is a link: name the folder that it leads to.`);
    }
    place = await resolvedPlace(path);
  } catch (error) {
    return refused(`${path} cannot be looked at: ${reasonOf(error)}.`);
  }
  const { within } = order;
  if (within && !await placeLiesWithin(place, within)) {
    return refused(`${place} does not lie in a folder that an admin approved for this host.`);
  }
  try {
    return await refusedPlace(job, place) ?? await emptyOrOwn(job, order, place);
  } catch (error) {
    return refused(`${place} cannot be looked at: ${reasonOf(error)}.`);
  }
}

async function refusedPlace(
  { machine }: JobContextOf<"restore">,
  place: string,
): Promise<Outcome | undefined> {
  if (folderOf(place) === place) return refused("the root of a file system is no folder for this.");
  const own = ownFolders(machine).find((folder) => isIn(place, folder));
  if (own) return refused(`${place} lies in ${own}, which is the agent's own.`);
  for (let at = place;; at = folderOf(at)) {
    if (await isRepository(at)) return refused(`${place} lies in ${at}, which is a repository.`);
    const who = at === place ? undefined : await whoMayLeadElsewhere(at);
    if (who) {
      return refused(
        `${who} can change ${at}, and could lead the restore elsewhere while it runs. Choose a folder that only root can change what lies above, such as ${
          isWindows ? "C:\\restored" : "/srv/restore"
        }; it can be moved afterwards.`,
      );
    }
    if (folderOf(at) === at) return undefined;
  }
}

/** What nothing is ever restored over. */
export function ownFolders(
  { settings }: Pick<JobContextOf<"restore">["machine"], "settings">,
): string[] {
  return [settings.stateDir, settings.configDir].map((path) => {
    try {
      return Deno.realPathSync(path);
    } catch {
      // It is not there.
      return path;
    }
  });
}

/** A folder with what every repository of restic has. */
export async function isRepository(path: string): Promise<boolean> {
  for (const name of ["config", "keys", "index", "data", "snapshots"]) {
    if (!await lstat(joinHere(path, name))) return false;
  }
  return true;
}

/** Besides root, and whoever the agent is. Windows has access lists, which Deno does not tell. */
async function whoMayLeadElsewhere(path: string): Promise<string | undefined> {
  if (isWindows) return undefined;
  const info = await lstat(path);
  // It will be made.
  if (!info) return undefined;
  if (info.uid !== 0 && info.uid !== Deno.uid()) return `The user with the number ${info.uid}`;
  const mode = info.mode ?? 0;
  const isSticky = (mode & 0o1000) !== 0;
  if (isSticky || (mode & 0o022) === 0) return undefined;
  return (mode & 0o002) !== 0 ? "Every user" : `The group with the number ${info.gid}`;
}

async function emptyOrOwn(
  { machine }: JobContextOf<"restore">,
  order: RestoreOrder,
  place: string,
): Promise<TargetFolder | Outcome> {
  const info = await lstat(place);
  if (!info) return { path: place, continued: false, before: null, device: null, inode: null };
  if (!info.isDirectory) return refused(`${place} is there and is no folder.`);
  const looked = { device: info.dev, inode: info.ino };
  const begun = machine.restores.find(place);
  const isSame = begun && begun.device === info.dev && begun.inode === info.ino;
  if (isSame && begun.key === keyOf(order)) {
    return { path: place, continued: true, before: begun.before, ...looked };
  }
  for await (const _ of Deno.readDir(place)) {
    return refused(
      isSame
        ? `${place} holds another restore that did not come to its end. Choose a new folder, or restore the same items of the same snapshot to go on.`
        : `${place} is not empty. Choose a folder that is new or empty.`,
    );
  }
  if (!isOwn(info) && await isOpenToOthers(folderOf(place))) {
    return refused(
      `${place} is another user's, who could put a link in its place: choose one that is not there yet.`,
    );
  }
  const { mode, uid, gid } = info;
  const before = { mode: (mode ?? 0o700) & 0o7777, uid: uid ?? 0, gid: gid ?? 0 };
  return { path: place, continued: false, before, ...looked };
}

function isOwn({ uid }: Deno.FileInfo): boolean {
  return isWindows || uid === 0 || uid === Deno.uid();
}

/** Others may make and rename their own there, as in /tmp. */
async function isOpenToOthers(folder: string): Promise<boolean> {
  return (((await lstat(folder))?.mode ?? 0) & 0o022) !== 0;
}

/** Makes it and closes it to others. Returns why it could not be made. */
export async function takeTarget(
  { machine }: JobContextOf<"restore">,
  order: RestoreOrder,
  target: TargetFolder,
): Promise<Outcome | undefined> {
  const { path, continued, before } = target;
  try {
    if (!continued && !before) {
      await makeAbove(folderOf(path));
      await Deno.mkdir(path, { mode: 0o700 });
    }
    const found = await Deno.lstat(path);
    const isSame = target.device === null ||
      found.dev === target.device && found.ino === target.inode;
    if (!found.isDirectory || !isSame) {
      return refused(`${path} was replaced by something else meanwhile.`);
    }
    if (!isWindows) {
      await Deno.chown(path, Deno.uid(), Deno.gid());
      await Deno.chmod(path, 0o700);
    }
    const { dev: device, ino: inode } = found;
    machine.restores.begin({ target: path, key: keyOf(order), device, inode, before });
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return refused(`somebody else has made ${path} in this moment.`);
    }
    return refused(`${path} cannot be made: ${whyNotMade(error)}`);
  }
}

function whyNotMade(error: unknown): string {
  const reason = `${reasonOf(error)}.`;
  return /read-only file system|os error 30/i.test(messageOf(error))
    ? `${reason} Nothing can be written there, or the agent's service may not: for /usr and /boot its unit needs ReadWritePaths=.`
    : reason;
}

/** Others may pass through what is made above it, as through any folder. */
async function makeAbove(folder: string): Promise<void> {
  if (await lstat(folder)) return;
  await makeAbove(folderOf(folder));
  await Deno.mkdir(folder, { mode: 0o755 });
  if (!isWindows) await Deno.chmod(folder, 0o755);
}

/** Nothing was written into it: it is as it was. */
export async function dropTarget(
  job: JobContextOf<"restore">,
  target: TargetFolder,
): Promise<void> {
  if (target.continued) return;
  try {
    if (target.before) return void await openTarget(job, target, 0);
    job.machine.restores.end(target.path);
    // Only while it is empty.
    await Deno.remove(target.path);
  } catch (error) {
    job.lines.add("agent", `${target.path} stays: ${messageOf(error)}`);
  }
}

/** Opens it for the user whose files these are, or gives it back what it had. Returns whose it is now; null where that is not told. */
export async function openTarget(
  { machine }: JobContextOf<"restore">,
  { path, before }: TargetFolder,
  owner: number,
): Promise<number | null> {
  machine.restores.end(path);
  if (isWindows) return null;
  const { uid, gid, mode } = before ?? { uid: owner, gid: null, mode: 0o700 };
  // Whoever owns it may exchange it for a link: that comes last.
  await Deno.chmod(path, mode);
  await Deno.chown(path, uid, gid);
  return uid;
}

/** A disk that does not answer is not waited for. */
const ASKED_MS = 5000;

/** Bytes that may still be written there; undefined where that is not one disk, or it does not say. */
export async function freeAt(paths: string[]): Promise<number | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(resolve, ASKED_MS));
  const asked = Promise.all(paths.map(diskOf)).catch(() => undefined);
  const disks = await Promise.race([asked, late]);
  clearTimeout(timer);
  const [first] = disks ?? [];
  return disks?.every(({ device }) => device === first!.device) ? first?.free : undefined;
}

async function diskOf(path: string): Promise<{ device: number; free: number }> {
  for (let at = path;; at = folderOf(at)) {
    const info = await lstat(at);
    if (!info) continue;
    const { bavail, bsize } = await statfs(at);
    return { device: info.dev, free: bavail * bsize };
  }
}

/** Whether files that differ in the case of their names alone are one there. Nothing of it is left. */
export async function isBlindToCase(folder: string): Promise<boolean> {
  if (isWindows) return true;
  const name = `.restore-probe-${crypto.randomUUID()}`;
  const probe = joinHere(folder, name);
  await Deno.writeFile(probe, new Uint8Array(), { createNew: true, mode: 0o600 });
  try {
    return await lstat(joinHere(folder, name.toUpperCase())) !== undefined;
  } finally {
    await Deno.remove(probe);
  }
}

/** undefined where there is nothing. */
export async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
