// NSSM begins a new log when the old one is large and keeps all of them.
import { join } from "node:path";

const KEPT = 10;

/** Removes all but the newest of the logs that were put aside (agent-20261122T212253.171.log, by their time). */
export function removeOldLogs(stateDir: string): void {
  const folder = join(stateDir, "logs");
  try {
    const old = [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => /^agent-\d{8}T[\d.]+\.log$/.test(name)).sort().slice(0, -KEPT);
    for (const name of old) Deno.removeSync(join(folder, name));
  } catch {
    // There are none, or one is in use: another start will do it.
  }
}
