// Which host the state belongs to. What one host had to report, to run and to know is nobody else's business: a machine
// that becomes another host, whichever way, starts with none of it.
import { join } from "node:path";
import {
  isThere,
  makePrivateDirectory,
  readIfThere,
  replaceFile,
  stampForName,
  syncDirectory,
} from "./files.ts";
import { killOrphan } from "./jobs/orphans.ts";
import { Ledger } from "./jobs/ledger.ts";
import { id } from "../shared/fields.ts";
import { keptAs, putAside as putFileAside } from "./state/aside.ts";
import { StateFolder } from "./state/folder.ts";
import { PROBLEMS_FILE } from "./state/problems.ts";
import { type Log, messageOf } from "../shared/log.ts";

/** What is of one host; keys and caches are the machine's. */
const OF_THE_HOST = [
  "file_systems.json",
  "jobs.json",
  "journal",
  "plan.key",
  "plan.sealed",
  PROBLEMS_FILE,
  "timers.json",
];
export const OWNER_FILE = "host_id";
export const ASIDE_PREFIX = "before-";

/** Says whose the state is, where nothing says so yet: it was written before this file was, by the host that this still is. */
export function noteOwner(stateDir: string, hostId: string | undefined): void {
  if (hostId && ownerOf(stateDir) === undefined) replaceFile(ownerPath(stateDir), hostId);
}

/**
 * Makes the state this host's. What another host left is put aside, its restic ended. May be broken off at any point and
 * called again. Called by anyone who holds the state directory.
 */
export function takeOverState(stateDir: string, hostId: string | undefined, log: Log): void {
  if (!hostId) return;
  makePrivateDirectory(stateDir);
  putDamagedOwnerAside(stateDir, hostId, log);
  const owner = ownerOf(stateDir);
  if (owner !== undefined && owner !== hostId) {
    endOrphans(stateDir, log);
    const aside = putAside(stateDir);
    if (aside) {
      log.warn(
        `This machine was host ${owner} and is host ${hostId} now. What it had still to report and to run as ${owner} is put aside in ${aside}`,
      );
    }
  }
  if (owner !== hostId) noteTaken(stateDir, hostId, log);
}

/** On a disk that takes nothing the state is this host's all the same; the next start notes it. */
function noteTaken(stateDir: string, hostId: string, log: Log): void {
  try {
    replaceFile(ownerPath(stateDir), hostId);
  } catch (error) {
    log.error(`${ownerPath(stateDir)} could not be written: ${messageOf(error)}`);
  }
}

/** What is no id of a host, or only the beginning of this one's, says nothing: the state stays whose agent.yaml it is. */
function putDamagedOwnerAside(stateDir: string, hostId: string, log: Log): void {
  const path = ownerPath(stateDir);
  let problem = "is damaged";
  try {
    const bytes = readIfThere(path);
    const text = bytes && new TextDecoder().decode(bytes).trim();
    if (text === undefined || text === hostId || id.safeParse(text).success) return;
  } catch (error) {
    problem = `cannot be read (${messageOf(error)})`;
  }
  const folder = new StateFolder(stateDir, log);
  try {
    const aside = putFileAside(path);
    folder.problems.happened(
      `${path} ${problem}; ${
        keptAs(path, aside)
      }. The state is taken for that of host ${hostId}, which agent.yaml names.`,
      aside ?? null,
    );
  } catch (error) {
    log.error(`${path} ${problem} and could not be put aside: ${messageOf(error)}`);
  } finally {
    folder.close();
  }
}

function putAside(stateDir: string): string | undefined {
  const there = OF_THE_HOST.filter((name) => isThere(join(stateDir, name)));
  if (there.length === 0) return undefined;
  const aside = join(stateDir, `${ASIDE_PREFIX}${stampForName()}`);
  makePrivateDirectory(aside);
  for (const name of there) Deno.renameSync(join(stateDir, name), join(aside, name));
  syncDirectory(aside);
  syncDirectory(stateDir);
  return aside;
}

/** Nobody would know of it any more. */
function endOrphans(stateDir: string, log: Log): void {
  const folder = new StateFolder(stateDir, log);
  try {
    for (const { id, process, post_hook_due } of new Ledger(folder).unfinished) {
      if (process && killOrphan(process)) log.warn(`Ended what was left of job ${id}`);
      if (post_hook_due) log.warn(`The post_hook of job ${id} was due and is not run any more`);
    }
  } finally {
    folder.close();
  }
}

/** The host whose state it is; undefined where nothing whole says so. */
export function ownerOf(stateDir: string): string | undefined {
  try {
    const bytes = readIfThere(ownerPath(stateDir));
    return bytes && id.safeParse(new TextDecoder().decode(bytes).trim()).data;
  } catch {
    // takeOverState has put aside, or named in the log, what cannot be read.
    return undefined;
  }
}

function ownerPath(stateDir: string): string {
  return join(stateDir, OWNER_FILE);
}
