// Whether a backup that restic calls a success is one: of nothing it has failed, and of far less than usual it needs a
// person. The agent looks at the paths themselves; the figures are held against the group's history here.
import type { Transaction } from "kysely";
import { bytes as inWords } from "../../shared/bytes.ts";
import { filesOf, savedNothing, type Summary } from "../../shared/job.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "./find.ts";

/** Of how many good runs the middle one says what is usual. */
const USUAL_RUNS = 5;

export interface Verdict {
  ended: JobFinished;
  /** Why its snapshot stays outside retention until a person says that it is right; null when it does not. */
  withheld: string | null;
}

/** Before the end of a backup is stored. */
export async function judge(
  tx: Transaction<Tables>,
  job: Pick<JobRow, "number" | "source_group_id">,
  ended: JobFinished,
): Promise<Verdict> {
  if (ended.reason_code === "nothing_saved") return { ended, withheld: "nothing_saved" };
  const { summary } = ended;
  // One that failed after it had saved (it could not be verified) may still have left its snapshot.
  if (!summary) return { ended, withheld: null };
  const group = job.source_group_id === null ? undefined : await tx.selectFrom("source_groups")
    .select(["id", "accepted_sources", "usual_share_percent", "usual_since"])
    .where("id", "=", job.source_group_id).executeTakeFirst();
  const accepted = group?.accepted_sources ?? "[]";
  const isDone = ended.status === "succeeded";
  if (savedNothing(summary) && !includes(accepted, { path: "", problem: "nothing_saved" })) {
    return { ended: isDone ? failedAsNothing(ended) : ended, withheld: "nothing_saved" };
  }
  const problem = (ended.sources ?? []).find((each) => !includes(accepted, each));
  if (problem) return { ended, withheld: `source_${problem.problem}` };
  const less = group && await lessThanUsual(tx, job.number, group, summary);
  return less
    ? { ended: isDone ? warned(ended, less) : ended, withheld: "less_than_usual" }
    : { ended, withheld: null };
}

function includes(accepted: string, problem: { path: string; problem: string }): boolean {
  return (JSON.parse(accepted) as { path: string; problem: string }[]).some((each) =>
    each.path === problem.path && each.problem === problem.problem
  );
}

function failedAsNothing(ended: JobFinished): JobFinished {
  return {
    ...ended,
    status: "failed",
    reason: "Nothing was saved: the snapshot holds no content.",
    reason_code: "nothing_saved",
  };
}

/** A sentence, or undefined when it is not far less. */
async function lessThanUsual(
  tx: Transaction<Tables>,
  jobNumber: number,
  group: { id: string; usual_share_percent: number; usual_since: number },
  summary: Summary,
): Promise<string | undefined> {
  const rows = await tx.selectFrom("jobs").select("summary")
    .where("source_group_id", "=", group.id).where("kind", "=", "backup")
    .where("status", "=", "succeeded").where("summary", "is not", null)
    .where((where) =>
      where.or([where("withheld", "is", null), where("accepted_at", "is not", null)])
    )
    .where("number", ">=", group.usual_since).where("number", "<", jobNumber)
    .orderBy("number", "desc").limit(USUAL_RUNS).execute();
  if (rows.length === 0 || group.usual_share_percent === 0) return undefined;
  const usual = rows.map((row) => JSON.parse(row.summary!) as Summary);
  const share = group.usual_share_percent / 100;
  const files = median(usual.map(filesOf));
  const bytes = median(usual.map((each) => each.bytes_processed));
  if (filesOf(summary) < files * share) {
    return `Far less than usual was saved: ${filesOf(summary)} files, usually ${files}.`;
  }
  if (summary.bytes_processed < bytes * share) {
    return `Far less than usual was saved: ${inWords(summary.bytes_processed)}, usually ${
      inWords(bytes)
    }.`;
  }
  return undefined;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function warned(ended: JobFinished, sentence: string): JobFinished {
  return {
    ...ended,
    warnings: ended.warnings + 1,
    reason: ended.reason ? `${sentence} ${ended.reason}`.slice(0, 2000) : sentence,
    reason_code: "less_than_usual",
  };
}
