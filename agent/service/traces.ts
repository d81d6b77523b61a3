// What the agent has put into its folders, so that an uninstall removes this and nothing that somebody else put there.
import { join } from "node:path";
import type { Settings } from "../settings.ts";

const CONFIG = ["agent.yaml", "agent.env"];
export const STATE = [
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
  "plan.key",
  "plan.sealed",
  "timers.json",
];

/** Removes configuration, keys and state; answers the folders that were left because of what else is in them. */
export function removeTraces({ configDir, stateDir }: Settings): string[] {
  for (const name of CONFIG) remove(join(configDir, name));
  for (const name of STATE) remove(join(stateDir, name));
  return [...new Set([configDir, stateDir])].filter((folder) => !removeEmpty(folder));
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
