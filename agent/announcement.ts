// How far asking to join has come, on disk for `status`. Nothing else reads it.
import { join } from "node:path";
import { z } from "zod";
import { readIfThere, removeIfThere, replaceFile } from "./files.ts";

const Stored = z.object({
  state: z.enum(["asking", "waiting", "rejected"]),
  server: z.string(),
  /** Milliseconds since 1970. */
  since: z.number(),
  reason: z.string().optional(),
});
export type AnnouncementState = z.infer<typeof Stored>;

export function saveAnnouncement(stateDir: string, state: AnnouncementState): void {
  replaceFile(pathIn(stateDir), JSON.stringify(state));
}

export function forgetAnnouncement(stateDir: string): void {
  removeIfThere(pathIn(stateDir));
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
