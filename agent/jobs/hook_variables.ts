// What a post hook learns of its job, in variables.
import type { Outcome } from "../restic/outcome.ts";

/**
 * Line breaks and control characters, and what cmd.exe would take as a part of a command where a variable stands for it:
 * a reason holds names of files and hosts that others chose.
 */
const ACTS = /[\p{Cc}\p{Zl}\p{Zp}"&|<>^%!]/u;

/** For the variables of any hook: each character that could act becomes a question mark. */
export function harmless(text: string): string {
  // Programs of Windows that know no Unicode get the plain form of a full-width character.
  return [...text].map((c) => ACTS.test(c) || ACTS.test(c.normalize("NFKC")) ? "?" : c).join("");
}

/** `redact` frees the reason of the repository's secrets. */
export function variablesOf(
  outcome: Outcome,
  redact: (text: string) => string,
): Record<string, string> {
  const { summary, reason, warnings } = outcome;
  const count = (value: number | undefined) => String(Math.round(value ?? 0));
  return {
    RM_JOB_STATUS: statusOf(outcome),
    RM_JOB_REASON: harmless(redact(reason ?? "")),
    RM_JOB_WARNINGS: count(warnings),
    RM_SNAPSHOT_ID: summary?.snapshot_id ?? "",
    RM_FILES_NEW: count(summary?.files_new),
    RM_FILES_CHANGED: count(summary?.files_changed),
    RM_BYTES_ADDED: count(summary?.bytes_added),
    RM_BYTES_PROCESSED: count(summary?.bytes_processed),
  };
}

function statusOf({ status, warnings }: Outcome): string {
  switch (status) {
    case "succeeded":
      return warnings > 0 ? "incomplete" : "succeeded";
    case "skipped":
      return "skipped";
    case "failed":
    case "cancelled":
    case "interrupted":
      return "failed";
    default:
      return status satisfies never;
  }
}
