// A backup: succeeded only when the snapshot that restic speaks of stands in the repository's list afterwards.
import type { Summary } from "../../shared/job.ts";
import { parseObject } from "./errors.ts";
import { ended, failed, missingSentence, type Outcome } from "./outcome.ts";
import { count, ProgressReader } from "./progress.ts";
import { capArguments, type Run, runRestic, type Task } from "./run.ts";
import { listSnapshots, reportSnapshots } from "./snapshots.ts";

const VERIFY_MS = 10 * 60_000;
// The service manager does not wait longer for an agent that is told to stop.
const VERIFY_WHEN_STOPPED_MS = 4000;

export async function backup(task: Task): Promise<Outcome> {
  const group = task.order.source_group;
  if (!group) return failed("no_source_group", "The order names no source group.", null);
  const { summary, run } = await runBackup(task, backupArguments(task, group));
  // Told to stop, but it had done its work already: then the truth is that it succeeded.
  const isDone = run.exit.code === 0 && summary !== undefined;
  if (run.failure && !isDone) return { ...run.failure, warnings: warningsOf(run) };
  if (!summary?.snapshot_id) {
    return failed("no_summary", "restic ended without saying what it saved.", run.exit.code);
  }
  return await verified(task, run, { ...summary, snapshot_id: summary.snapshot_id });
}

type Group = NonNullable<Task["order"]["source_group"]>;

function backupArguments(task: Task, group: Group): string[] {
  return [
    "backup",
    "--json",
    `--host=${task.snapshotHost}`,
    `--tag=${group.name}`,
    ...group.excludes.map((pattern) => `--exclude=${pattern}`),
    // restic for other systems does not know it.
    ...(group.use_fs_snapshot && Deno.build.os === "windows" ? ["--use-fs-snapshot"] : []),
    ...capArguments(task),
    "--",
    ...group.includes,
  ];
}

async function runBackup(task: Task, args: string[]) {
  const progress = new ProgressReader();
  let summary: Summary | undefined;
  const onOut = (line: string) => {
    const value = line.startsWith("{") ? parseObject(line) : undefined;
    if (value?.message_type === "status") {
      const step = progress.read(value);
      if (step) task.progress(step);
    } else if (value?.message_type === "summary") {
      summary = readSummary(value);
      task.lines.add("stdout", summaryLine(summary));
    } else {
      task.lines.add("stdout", line);
    }
  };
  const run = await runRestic(task, { args, onOut });
  return { run, summary };
}

async function verified(
  task: Task,
  run: Run,
  summary: Summary & { snapshot_id: string },
): Promise<Outcome> {
  const wholeMs = task.control.stopped ? VERIFY_WHEN_STOPPED_MS : VERIFY_MS;
  const listing = await listSnapshots(task, { evenWhenStopped: true, wholeMs });
  if (listing.failure) {
    if (run.failure) return run.failure;
    const why =
      `restic reported success, but that could not be verified: ${listing.failure.reason}`;
    return { ...failed("not_verified", why, run.exit.code), summary };
  }
  reportSnapshots(task, listing.snapshots);
  const listed = listing.snapshots.find(({ id }) => id.startsWith(summary.snapshot_id));
  if (!listed) {
    const why =
      `restic reported snapshot ${summary.snapshot_id}, but the repository does not list it.`;
    return { ...failed("not_listed", why, run.exit.code), summary };
  }
  const warnings = warningsOf(run);
  const reason = warnings > 0 ? warningSentence(run) : null;
  const outcome = ended("succeeded", reason && "warnings", reason, run.exit.code);
  return { ...outcome, warnings, summary: { ...summary, snapshot_id: listed.id } };
}

function warningsOf({ exit, errors }: Run): number {
  const seen = errors.missing.length + errors.unreadable;
  return exit.code === 3 ? Math.max(1, seen) : seen;
}

function warningSentence({ errors }: Run): string {
  const parts: string[] = [];
  if (errors.missing.length > 0) parts.push(missingSentence(errors.missing));
  if (errors.unreadable === 1) parts.push("one file or folder could not be read.");
  else if (errors.unreadable > 1) {
    parts.push(`${errors.unreadable} files or folders could not be read.`);
  }
  if (parts.length === 0) parts.push("some files could not be read.");
  return `The snapshot is incomplete: ${parts.join(" Also: ")}`;
}

function readSummary(value: Record<string, unknown>): Summary {
  const id = typeof value.snapshot_id === "string" ? value.snapshot_id : "";
  return {
    ...(/^[0-9a-f]{8,64}$/.test(id) ? { snapshot_id: id } : {}),
    files_new: count(value.files_new),
    files_changed: count(value.files_changed),
    files_unmodified: count(value.files_unmodified),
    bytes_added: count(value.data_added),
    bytes_processed: count(value.total_bytes_processed),
    seconds: count(value.total_duration),
  };
}

function summaryLine(summary: Summary): string {
  const { files_new, files_changed, files_unmodified, bytes_added, bytes_processed } = summary;
  const id = summary.snapshot_id?.slice(0, 8) ?? "none";
  return `snapshot ${id}: ${files_new} files new, ${files_changed} changed, ${files_unmodified} ` +
    `unmodified; ${bytes_processed} bytes read, ${bytes_added} added, ${
      summary.seconds.toFixed(1)
    } s`;
}
