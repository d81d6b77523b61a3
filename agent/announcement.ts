// How far asking to join has come, on disk for `status`. Nothing else reads it.
import { join } from "node:path";
import { z } from "zod";
import { type Log, messageOf } from "../shared/log.ts";
import { keptAs, putAside } from "./state/aside.ts";
import { readIfThere, removeIfThere, replaceFile } from "./files.ts";

const Stored = z.object({
  state: z.enum(["asking", "waiting", "rejected"]),
  server: z.string(),
  /** Milliseconds since 1970. */
  since: z.number(),
  reason: z.string().optional(),
});
export type AnnouncementState = z.infer<typeof Stored>;

/** It is only for people: a disk that does not take it keeps no machine from joining. */
export function saveAnnouncement(stateDir: string, state: AnnouncementState, log: Log): void {
  changeIt(stateDir, log, (path) => replaceFile(path, JSON.stringify(state)));
}

export function forgetAnnouncement(stateDir: string, log: Log): void {
  changeIt(stateDir, log, removeIfThere);
}

function changeIt(stateDir: string, log: Log, change: (path: string) => void): void {
  const path = pathIn(stateDir);
  try {
    if (readAnnouncement(stateDir) === undefined) {
      const aside = putAside(path);
      if (aside) log.warn(`${path} was damaged; ${keptAs(path, aside)}`);
    }
    change(path);
  } catch (error) {
    log.warn(`${path} could not be written: ${messageOf(error)}`);
  }
}

/** undefined when this machine never asked, or what is there cannot be read: it is only told. */
export function readAnnouncement(stateDir: string): AnnouncementState | undefined {
  try {
    const bytes = readIfThere(pathIn(stateDir));
    return bytes && Stored.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

function pathIn(stateDir: string): string {
  return join(stateDir, "announcement.json");
}
