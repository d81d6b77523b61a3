import type { Progress } from "../../shared/job.ts";
import type { Server } from "../server.ts";
import { ownJob } from "./own.ts";

/** Keeps the latest picture of a running job and shows it to anyone who watches. */
export async function noteProgress(
  server: Server,
  hostId: string,
  jobId: string,
  progress: Progress,
): Promise<void> {
  const { status } = await ownJob(server, hostId, jobId);
  if (status !== "running") return;
  server.progress.set(hostId, jobId, progress);
  server.events.publish({ type: "progress", jobId, hostId });
}
