// Who may open the agent's folders on Windows, where modes mean nothing: SYSTEM and Administrators, by SID, since their
// names are translated. On Linux the modes with which they are made say the same.
import { makePrivateDirectory } from "../files.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import type { Settings } from "../settings.ts";
import { runTool } from "./run_tool.ts";
import { ServiceProblem } from "./service.ts";

const SYSTEM = "*S-1-5-18";
const ADMINISTRATORS = "*S-1-5-32-544";
const FULL_AND_INHERITED = "(OI)(CI)F";

/**
 * Arguments of icacls, in order. Everybody may make folders below ProgramData, so what is found is taken over: its owner,
 * then whatever rights someone gave himself there.
 */
export function aclCommands(folder: string): string[][] {
  return [
    [folder, "/setowner", ADMINISTRATORS, "/T", "/C", "/Q"],
    [folder, "/reset", "/T", "/C", "/Q"],
    [
      folder,
      "/inheritance:r",
      "/grant:r",
      `${SYSTEM}:${FULL_AND_INHERITED}`,
      `${ADMINISTRATORS}:${FULL_AND_INHERITED}`,
      "/Q",
    ],
  ];
}

/** Shuts everybody else out of a folder and all below it. What is made there later inherits it. */
export async function protectFolder(folder: string): Promise<void> {
  if (Deno.build.os !== "windows") return;
  const icacls = `${Deno.env.get("SystemRoot") ?? "C:\\Windows"}\\System32\\icacls.exe`;
  for (const args of aclCommands(folder)) {
    const { code, text } = await runTool(icacls, args);
    if (code !== 0) throw new ServiceProblem(`The rights of ${folder} cannot be set: ${text}`);
  }
}

/** For an agent that is started on Windows without having been installed. Folders that are there stay as they are. */
export async function makeProtectedFolders({ configDir, stateDir }: Settings, log: Log) {
  if (Deno.build.os !== "windows") return;
  for (const folder of new Set([configDir, stateDir])) {
    if (isThere(folder)) continue;
    makePrivateDirectory(folder);
    await protectFolder(folder).catch((error) =>
      log.warn(`${messageOf(error)} Others may read what the agent keeps there`)
    );
  }
}

function isThere(folder: string): boolean {
  try {
    Deno.statSync(folder);
    return true;
  } catch {
    return false;
  }
}
