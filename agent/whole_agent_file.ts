// An agent.yaml that was cut at the end of a line is still YAML: it may have lost the brake of the machine's owner, or that this
// machine is a host at all. So each start remembers what it read, without the bearer, and the next one compares.
import { join } from "node:path";
import { CorruptFile, readIfThere, replaceFile } from "./files.ts";
import { type Log, messageOf } from "../shared/log.ts";
import { agentFilePath, type Settings } from "./settings.ts";
import { ownerOf } from "./state_owner.ts";

/** A shorter one is cut, and may be a word that is elsewhere in the file. */
const BEARER_LENGTH = 24;

const STARS = "***";

export const SEEN_FILE = "agent.yaml.seen";

/** Throws CorruptFile for an agent.yaml of which a part is missing. */
export function refuseCutAgentFile(settings: Settings): void {
  const path = agentFilePath(settings.configDir);
  const bytes = readIfThere(path);
  if (!bytes) return;
  const now = textOf(bytes, settings).trimEnd();
  const before = readSeen(settings.stateDir)?.trimEnd();
  if (before !== undefined && now.length < before.length && before.startsWith(now)) {
    throw new CorruptFile(
      path,
      "is only the beginning of what it was when the agent started last, as if it had been cut. Whoever took its last lines away on purpose writes a comment in their place",
    );
  }
  const owner = settings.bearer === undefined ? ownerOf(settings.stateDir) : undefined;
  if (owner === undefined) return;
  throw new CorruptFile(
    path,
    `does not say any more that this machine is host ${owner}, which ${settings.stateDir} says. It is cut or damaged; restore it, or remove it to join again`,
  );
}

/** Remembers what was read. A state folder that takes nothing keeps no agent from running. */
export function noteAgentFile(settings: Settings, log: Log): void {
  try {
    const bytes = readIfThere(agentFilePath(settings.configDir));
    if (!bytes) return;
    const text = textOf(bytes, settings);
    if (text !== readSeen(settings.stateDir)) replaceFile(seenPath(settings.stateDir), text);
  } catch (error) {
    log.warn(`What agent.yaml says could not be remembered: ${messageOf(error)}`);
  }
}

function textOf(bytes: Uint8Array, { bearer }: Settings): string {
  // Another bearer, and other ends of lines, make no other file of it.
  const text = new TextDecoder().decode(bytes).replaceAll("\r\n", "\n").replace(
    /(\bbearer["']?\s*:\s*["']?)([^\s"',}]+)/g,
    `$1${STARS}`,
  );
  // However else YAML lets someone write it.
  return bearer && bearer.length >= BEARER_LENGTH ? text.replaceAll(bearer, STARS) : text;
}

/** undefined also where it cannot be read: then there is nothing to compare with. */
function readSeen(stateDir: string): string | undefined {
  try {
    const bytes = readIfThere(seenPath(stateDir));
    return bytes && new TextDecoder().decode(bytes);
  } catch {
    return undefined;
  }
}

function seenPath(stateDir: string): string {
  return join(stateDir, SEEN_FILE);
}
