// `status`: what there is, without touching it, also while an agent runs.
import { join } from "node:path";
import { messageOf } from "./log.ts";
import { ResticFinder } from "./restic/version.ts";
import type { Settings } from "./settings.ts";

export interface Status {
  lines: string[];
  /** Enrolled, and restic is there. */
  isReady: boolean;
}

export async function readStatus(settings: Settings): Promise<Status> {
  const restic = await new ResticFinder(settings.restic).find()
    .then(({ path, version }) => ({ found: true, text: `${version} at ${path}` }))
    .catch((error) => ({ found: false, text: messageOf(error) }));
  const isEnrolled = settings.bearer !== undefined;
  return {
    lines: [
      `configuration    ${settings.configDir}`,
      `state            ${settings.stateDir}`,
      `server           ${settings.server ?? "not set (RM_SERVER)"}`,
      `enrolled         ${isEnrolled ? "yes" : "no"}`,
      `host id          ${settings.hostId ?? "none"}`,
      `waiting reports  ${journalBytes(settings.stateDir)}`,
      `restic           ${restic.text}`,
    ],
    isReady: isEnrolled && restic.found,
  };
}

function journalBytes(stateDir: string): string {
  try {
    const directory = join(stateDir, "journal");
    const sizes = [...Deno.readDirSync(directory)].map(({ name }) =>
      Deno.statSync(join(directory, name)).size
    );
    return `${sizes.reduce((sum, size) => sum + size, 0)} bytes`;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "none" : `unknown (${messageOf(error)})`;
  }
}
