// What the agent has put into its folders, so that an uninstall removes this and nothing that someone else put there.
import { join } from "node:path";
import { ASIDE_FILE, leaveBrakeAlone, type Settings } from "../settings.ts";
import { ASIDE_PREFIX, OWNER_FILE } from "../state_owner.ts";
import { BY_HAND_LOCK } from "../by_hand/alone.ts";
import { LISTINGS } from "../restore/expected.ts";
import { BY_HAND_RESTORES_FILE, RESTORES_FILE } from "../restore/unfinished.ts";
import { BAD_NAME } from "../state/aside.ts";
import { PROBLEMS_FILE } from "../state/problems.ts";
import { SEEN_FILE } from "../whole_agent_file.ts";

const CONFIG = ["agent.env"];
export const STATE = [
  SEEN_FILE,
  "announcement.json",
  "authorities",
  "cache",
  "enrolment.key",
  "file_systems.json",
  "hooks",
  "identity.key",
  "jobs.json",
  "journal",
  "lock",
  "logs",
  OWNER_FILE,
  "plan.key",
  "plan.sealed",
  PROBLEMS_FILE,
  RESTORES_FILE,
  BY_HAND_RESTORES_FILE,
  BY_HAND_LOCK,
  LISTINGS,
  "timers.json",
];

/** What was put aside: the files of a host that this machine was before, and beside them all of ours that was damaged. */
const ASIDE = [ASIDE_FILE, ASIDE_PREFIX];

/**
 * Removes configuration, keys and state; returns the folders that were left because of what else is in them. What the machine's
 * owner allows is his own: that alone stays in agent.yaml.
 */
export function removeTraces({ configDir, stateDir }: Settings): string[] {
  leaveBrakeAlone(configDir);
  for (const name of CONFIG) remove(join(configDir, name));
  for (const name of STATE) remove(join(stateDir, name));
  for (const folder of new Set([configDir, stateDir])) removeAside(folder);
  return [...new Set([configDir, stateDir])].filter((folder) => !removeEmpty(folder));
}

function removeAside(folder: string): void {
  for (const name of namesIn(folder)) {
    const isDamaged = BAD_NAME.test(name) && STATE.includes(name.replace(BAD_NAME, ""));
    if (isDamaged || ASIDE.some((start) => name.startsWith(start))) remove(join(folder, name));
  }
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeEmpty(folder: string): boolean {
  try {
    Deno.removeSync(folder);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}
