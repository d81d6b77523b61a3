import type { AgentKind } from "../jobs/kind.ts";
import { whenUnlocked } from "./locked.ts";
import { onSameRepository } from "./repository_id.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { capArguments, runRestic } from "./run.ts";
import { measure } from "./stats.ts";

const OWN_CODES = new Set(["restic_failed", "damaged"]);

export const check: AgentKind<"check"> = {
  run: (job) => onSameRepository(job, () => whenUnlocked(job, () => lookForDamage(job))),
};

/** Checks the structure and reads a part of the data: plain check does not see flipped bits. */
async function lookForDamage(job: JobContextOf<"check">): Promise<Outcome> {
  const { read_data } = job.order;
  const subset = read_data ? [`--read-data-subset=${read_data.part}/${read_data.parts}`] : [];
  const run = await runRestic(job, { args: ["check", ...subset, ...capArguments(job)] });
  const { failure } = run;
  if (failure && OWN_CODES.has(failure.reason_code ?? "")) {
    return failed(
      "damaged",
      `The check found errors in the repository: ${failure.reason}`,
      run.exit.code,
    );
  }
  if (failure) return failure;
  await measure(job);
  return ended("succeeded", null, null, run.exit.code);
}
