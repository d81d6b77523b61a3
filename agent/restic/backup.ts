// A backup: succeeded only when the snapshot that restic refers to is in the repository's list afterwards.
import type { AgentKind } from "../jobs/kind.ts";
import { whenUnlocked } from "./locked.ts";
import { watchOpened } from "./repository_id.ts";
import type { SourceGroupOrder } from "../../shared/job_kinds/backup.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { savedNothing, type Summary } from "../../shared/job.ts";
import { parseObject } from "./errors.ts";
import { ended, failed, missingSentence, type Outcome } from "./outcome.ts";
import { literalPattern } from "../restore/items.ts";
import { count, ProgressReader } from "./progress.ts";
import { capArguments, goOnWithoutCache, type Run, runRestic } from "./run.ts";
import { listSnapshots, reportSnapshots } from "./snapshots.ts";
import { isAccepted, lookAgain, lookAtSources, type LookedAt } from "./sources.ts";

/** The server takes no more. */
const PROBLEMS_TOLD = 1000;
const VERIFY_MS = 10 * 60_000;
// The service manager does not wait longer for an agent that is told to stop.
const VERIFY_WHEN_STOPPED_MS = 4000;

export const backup: AgentKind<"backup"> = {
  async run(job) {
    const opened = watchOpened(job);
    return { ...await whenUnlocked(job, () => save(job)), ...opened() };
  },
};

async function save(job: JobContextOf<"backup">): Promise<Outcome> {
  const group = job.order.source_group;
  if (!group) return failed("no_source_group", "The order names no source group.", null);
  const first = await lookAtSources(group, job.fileSystems.of(group.id));
  for (const sentence of first.sentences) job.lines.add("agent", `Warning: ${sentence}.`);
  const { summary, run } = await withOrWithoutCache(job, backupArguments(job, group));
  // Told to stop, but it had done its work already: then the truth is that it succeeded.
  const isDone = run.exit.code === 0 && summary !== undefined;
  if (run.failure && !isDone) return { ...run.failure, warnings: warningsOf(run, group) };
  if (!summary?.snapshot_id) {
    return failed("no_summary", "restic ended without saying what it saved.", run.exit.code);
  }
  const sources = await lookAgain(group, first);
  const saved = { group, sources, summary: { ...summary, snapshot_id: summary.snapshot_id } };
  return await verified(job, run, saved);
}

type Group = SourceGroupOrder;

interface Saved {
  group: Group;
  sources: LookedAt;
  summary: Summary & { snapshot_id: string };
}

function backupArguments(job: JobContextOf<"backup">, group: Group): string[] {
  return [
    "backup",
    "--json",
    `--host=${job.snapshotHost}`,
    `--tag=${group.snapshot_tag ?? group.name}`,
    ...group.excludes.map((pattern) => `--exclude=${pattern}`),
    ...(group.iexcludes ?? []).map((pattern) => `--iexclude=${pattern}`),
    ...(group.exclude_if_present ?? []).map((name) => `--exclude-if-present=${name}`),
    ...(group.exclude_larger_than ? [`--exclude-larger-than=${group.exclude_larger_than}`] : []),
    ...beingRestored(job),
    ...(group.exclude_caches ? ["--exclude-caches"] : []),
    ...(group.one_file_system ? ["--one-file-system"] : []),
    // restic for other systems does not know it.
    ...(group.use_fs_snapshot && Deno.build.os === "windows" ? ["--use-fs-snapshot"] : []),
    ...capArguments(job),
    "--",
    ...group.includes,
  ];
}

/** What is written just now is half of what it will be: the next backup has it. */
function beingRestored(job: JobContextOf<"backup">): string[] {
  return job.machine.restores.inUse.map((path) => {
    job.lines.add("agent", `Left out of this backup, since it is being restored: ${path}`);
    return `--exclude=${literalPattern(path)}`;
  });
}

/** A disk that fills while restic works makes it fail at its cache, which a backup does not need. */
async function withOrWithoutCache(job: JobContextOf<"backup">, args: string[]) {
  const done = await runBackup(job, args);
  const { failure, errors } = done.run;
  const failedAtCache = failure !== undefined && job.withoutCache === undefined &&
    !job.control.stopped && errors.text.includes(job.cacheDir);
  if (!failedAtCache) return done;
  goOnWithoutCache(job, "it failed with it");
  return await runBackup(job, args);
}

async function runBackup(job: JobContextOf<"backup">, args: string[]) {
  const progress = new ProgressReader();
  let summary: Summary | undefined;
  const onOut = (line: string) => {
    const value = line.startsWith("{") ? parseObject(line) : undefined;
    if (value?.message_type === "status") {
      const step = progress.read(value);
      if (step) job.progress(step);
    } else if (value?.message_type === "summary") {
      summary = readSummary(value);
      job.lines.add("stdout", summaryLine(summary));
    } else {
      job.lines.add("stdout", line);
    }
  };
  const run = await runRestic(job, { args, onOut });
  return { run, summary };
}

async function verified(job: JobContextOf<"backup">, run: Run, saved: Saved): Promise<Outcome> {
  const { summary } = saved;
  const wholeMs = job.control.stopped ? VERIFY_WHEN_STOPPED_MS : VERIFY_MS;
  const listing = await listSnapshots(job, { evenWhenStopped: true, wholeMs });
  if (listing.failure) {
    if (run.failure) return run.failure;
    const why =
      `restic reported success, but that could not be verified: ${listing.failure.reason}`;
    return { ...failed("not_verified", why, run.exit.code), ...found(run, saved) };
  }
  reportSnapshots(job, listing.snapshots);
  const listed = listing.snapshots.find(({ id }) => id.startsWith(summary.snapshot_id));
  if (!listed) {
    const why =
      `restic reported snapshot ${summary.snapshot_id}, but the repository does not list it.`;
    return { ...failed("not_listed", why, run.exit.code), ...found(run, saved) };
  }
  return judged(job, run, { ...saved, summary: { ...summary, snapshot_id: listed.id } });
}

/** Listed is not enough: a snapshot of nothing is no backup, and one whose sources are not what they were needs a person. */
function judged(
  job: JobContextOf<"backup">,
  run: Run,
  { group, sources, summary }: Saved,
): Outcome {
  const more = found(run, { group, sources, summary });
  if (savedNothing(summary) && !isAccepted(group, "", "nothing_saved")) {
    const why = sources.sentences.join("; ") || "the paths hold no files with content";
    const outcome = failed("nothing_saved", `Nothing was saved: ${why}.`, run.exit.code);
    return { ...outcome, warnings: warningsOf(run, group), ...more };
  }
  const isAsBefore = sources.sentences.length === 0;
  if (isAsBefore) rememberFileSystems(job, group, sources);
  const incomplete = warningsOf(run, group);
  const counted = sources.sentences.length;
  const warnings = incomplete + counted;
  if (warnings === 0) return { ...ended("succeeded", null, null, run.exit.code), ...more };
  const sentences = [
    ...(counted > 0 ? [`${sources.sentences.join("; ")}.`] : []),
    ...(incomplete > 0 ? [warningSentence(run, group)] : []),
  ];
  const reason = sentences.join(" ");
  return {
    ...ended("succeeded", counted > 0 ? "sources" : "warnings", reason, run.exit.code),
    warnings,
    ...more,
  };
}

/** Of a path that is not there today stays known where it was, so that its empty mount point is noticed tomorrow. */
function rememberFileSystems(
  job: JobContextOf<"backup">,
  group: Group,
  { fileSystems }: LookedAt,
): void {
  const known = { ...job.fileSystems.of(group.id), ...fileSystems };
  const still = group.includes.flatMap((path) => known[path] ? [[path, known[path]]] : []);
  job.fileSystems.remember(group.id, Object.fromEntries(still));
}

/** What the server judges the snapshot by, also where it could not be verified and stands there all the same. */
function found({ errors }: Run, { sources, summary }: Saved): Pick<Outcome, "summary" | "sources"> {
  const missing = errors.missing.map((path) => ({ path, problem: "missing" as const }));
  const nothing = savedNothing(summary) ? [{ path: "", problem: "nothing_saved" as const }] : [];
  const problems = [...nothing, ...missing, ...sources.problems].slice(0, PROBLEMS_TOLD);
  return { summary, ...(problems.length > 0 ? { sources: problems } : {}) };
}

/** Of missing paths that a person accepted nothing is said. */
function missingOf({ errors }: Run, group: Group): string[] {
  return errors.missing.filter((path) => !isAccepted(group, path, "missing"));
}

function warningsOf(run: Run, group: Group): number {
  const { exit, errors } = run;
  const seen = missingOf(run, group).length + errors.unreadable;
  // From 0.19 on a missing path alone gives 3 too.
  return exit.code === 3 && errors.missing.length === 0 ? Math.max(1, seen) : seen;
}

function warningSentence(run: Run, group: Group): string {
  const { errors } = run;
  const missing = missingOf(run, group);
  const parts: string[] = [];
  if (missing.length > 0) parts.push(missingSentence(missing));
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
