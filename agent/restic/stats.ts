// How much the repository holds, and who holds a lock in it.
import type { AgentKind } from "../jobs/kind.ts";
import type { JobContext } from "../jobs/context.ts";
import { parseObject } from "./errors.ts";
import { readLocks } from "./locks.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { count } from "./progress.ts";
import { runRestic } from "./run.ts";
import { listWhole, reportWhole } from "./snapshots.ts";

export const stats: AgentKind<"stats"> = { run: measure };

/** Tells the sizes, the locks and the whole list of snapshots; also after what changed them. */
export async function measure(job: JobContext): Promise<Outcome> {
  const raw = await sizes(job, "raw-data");
  if (raw.failure) return raw.failure;
  const restored = await sizes(job, "restore-size");
  const total_size = count(raw.answer.total_size);
  job.lines.add("stdout", `${total_size} bytes in the repository`);
  job.report({
    type: "repo.stats",
    job_id: job.order.job_id,
    repository_id: job.repository.id,
    stats: {
      total_size,
      total_file_count: count(raw.answer.total_file_count),
      snapshots_count: count(raw.answer.snapshots_count),
      ...(restored.failure ? {} : { restore_size: count(restored.answer.total_size) }),
      locks: await readLocks(job) ?? [],
    },
  });
  const whole = await listWhole(job);
  if (!whole.failure) reportWhole(job, whole.snapshots);
  return ended("succeeded", null, null, 0);
}

type Sizes =
  | { answer: Record<string, unknown>; failure?: undefined }
  | { answer?: undefined; failure: Outcome };

async function sizes(job: JobContext, mode: string): Promise<Sizes> {
  let answer: Record<string, unknown> | undefined;
  const run = await runRestic(job, {
    args: ["stats", "--mode", mode, "--json"],
    onOut: (line) => {
      const value = line.startsWith("{") ? parseObject(line) : undefined;
      if (value && "total_size" in value) answer = value;
      else job.lines.add("stdout", line);
    },
  });
  if (run.failure) return { failure: run.failure };
  if (answer) return { answer };
  const reason = "restic ended without telling the sizes.";
  return { failure: failed("no_stats", reason, run.exit.code) };
}
