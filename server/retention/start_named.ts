import { type MaintenanceRun, startMaintenance } from "../maintenance/start.ts";
import type { Actor, Server } from "../server.ts";
import type { NamedForget } from "./forget_request.ts";

/** Starts a forget of the snapshots that a person named, and of no others. Returns the job's id. */
export async function forgetNamed(
  server: Server,
  actor: Actor,
  repositoryId: string,
  named: NamedForget,
  began?: MaintenanceRun["began"],
): Promise<string> {
  const { jobId } = await startMaintenance(server, actor, repositoryId, {
    kind: "forget",
    request: { named },
    ...(began ? { began } : {}),
  });
  return jobId;
}
