// Files that decide what the agent runs or allows: nobody but root may be able to write them, nor the folders on the way.
import { dirname } from "node:path";
import { CorruptFile, isThere } from "./files.ts";
import { messageOf } from "../shared/log.ts";
import { agentFilePath } from "./settings.ts";

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Why a file cannot be trusted, as part of a sentence; undefined when it can. */
export function whyUntrusted(path: string): string | undefined {
  try {
    const real = Deno.realPathSync(path);
    if (!Deno.statSync(real).isFile) return "is no file";
    // Windows: the rights on files there are lists that Deno cannot read.
    if (Deno.build.os === "windows") return undefined;
    const places = new Set([...upwards(path), ...upwards(real)]);
    const open = [...places].find((place) => canOthersWrite(place, place === real));
    return open &&
      `can be changed by others than root (by its ${
        open === real ? "own mode or owner" : `folder ${open}`
      })`;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? "is not there"
      : `cannot be looked at: ${messageOf(error)}`;
  }
}

/** The brake of the machine's owner is worth what its file is. Throws CorruptFile for an agent.yaml that others can write. */
export function refuseOpenAgentFile(configDir: string): void {
  const path = agentFilePath(configDir);
  const problem = isThere(path) ? whyUntrusted(path) : undefined;
  if (problem) throw new CorruptFile(path, `${problem}, so what it allows is nobody's word`);
}

function upwards(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [path] : [path, ...upwards(folder)];
}

/** In a folder with the sticky bit others cannot replace what is not theirs. */
function canOthersWrite(place: string, isFile: boolean): boolean {
  const { mode, uid, isSymlink } = Deno.lstatSync(place);
  if (uid !== 0 && uid !== Deno.uid()) return true;
  if (isSymlink || mode === null || (mode & OTHERS_WRITE) === 0) return false;
  return isFile || (mode & STICKY) === 0;
}
