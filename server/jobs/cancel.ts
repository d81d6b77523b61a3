import { change } from "../change.ts";
import { hasEnded } from "../../shared/job.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { getJobRow } from "./find.ts";
import { presumeEnded } from "./reconcile.ts";

/** Asks the agent to end the job; it ends when the agent says so. One that never left the server ends at once. */
export async function cancelJob(server: Server, actor: Actor, jobId: string): Promise<void> {
  const job = await getJobRow(server, jobId);
  if (hasEnded(job.status)) {
    throw new AppError("conflict", `The job has ended already (${job.status}).`);
  }
  await change(server, actor, async ({ tx, audit }) => {
    await tx.updateTable("jobs").set({ cancel_requested_at: server.now() })
      .where("id", "=", jobId).execute();
    await audit({
      action: "job.cancelled",
      target: { kind: "job", id: jobId, name: job.kind },
      detail: { host_id: job.host_id },
    });
  });
  if (job.status === "queued" && job.dispatched_at === null) {
    await presumeEnded(server, jobId, {
      status: "cancelled",
      reason: "Cancelled before it began.",
      isGone: false,
    });
  } else {
    // A host that is away learns of it when it says hello.
    server.agents.send(job.host_id, { type: "command.cancel", job_id: jobId });
  }
  server.events.publish({ type: "job", jobId, hostId: job.host_id, status: job.status });
}
