// What is there now, saved as a snapshot of its own before it is written over.
import type { JobContextOf } from "../jobs/context.ts";
import { parseObject } from "../restic/errors.ts";
import { exactArguments, pathBytes } from "../restic/exact_arguments.ts";
import { whenUnlocked } from "../restic/locked.ts";
import { ended, failed, type Outcome } from "../restic/outcome.ts";
import { capArguments, runRestic } from "../restic/run.ts";
import { listSnapshots, reportSnapshots } from "../restic/snapshots.ts";
import { present } from "./in_place.ts";
import type { Item } from "./items.ts";

/** By it people find the snapshot; no source group has it, so that no retention governs it. */
export const UNDO_TAG = "before-restore";

/** The id of the snapshot, null where there was nothing to save, or why there is none: then nothing may be written. */
export async function saveForUndo(
  job: JobContextOf<"restore">,
  items: Item[],
): Promise<string | null | Outcome> {
  if (job.order.reader_access) {
    return notSaved(
      "the repository is another host's, and what this one holds does not belong there.",
      failed("not_saved", "", null),
    );
  }
  const there = await present(items);
  if (there.length === 0) return null;
  let id: string | undefined;
  const outcome = await whenUnlocked(job, async () => {
    const run = await runRestic(job, {
      ...backupArguments(job, there),
      onOut: (line) => {
        const value = line.startsWith("{") ? parseObject(line) : undefined;
        if (value?.message_type !== "summary") return;
        id = typeof value.snapshot_id === "string" ? value.snapshot_id : undefined;
      },
    });
    // What could not be read is what would be written over.
    const isPartial = run.exit.code !== 0 && !run.failure;
    return isPartial
      ? failed("not_saved", "not all of it could be read.", run.exit.code)
      : run.failure ?? ended("succeeded", null, null, run.exit.code);
  });
  if (outcome.status !== "succeeded") return notSaved(outcome.reason, outcome);
  const listing = await listSnapshots(job);
  if (listing.failure) return notSaved(listing.failure.reason, listing.failure);
  reportSnapshots(job, listing.snapshots);
  const listed = id && listing.snapshots.find((each) => each.id.startsWith(id!));
  return listed ? listed.id : notSaved("restic did not say what it saved.", outcome);
}

function backupArguments(job: JobContextOf<"restore">, items: Item[]) {
  return exactArguments([
    "backup",
    "--json",
    `--host=${job.snapshotHost}`,
    `--tag=${UNDO_TAG}`,
    ...capArguments(job),
    "--",
  ], items.map(({ names }) => [localBytes(names)]));
}

function localBytes(names: Uint8Array[]): string | Uint8Array {
  if (Deno.build.os !== "windows") return pathBytes(names);
  const [drive = "", ...rest] = names.map((name) => new TextDecoder().decode(name));
  return `${drive}:\\${rest.join("\\")}`;
}

function notSaved(why: string | null, { status, reason_code, exit_code }: Outcome): Outcome {
  const reason = `Nothing was written: what is there now could not be saved first${
    why ? `: ${why}` : "."
  }`;
  return status === "succeeded" || status === "failed"
    ? failed(reason_code ?? "not_saved", reason, exit_code)
    : { ...failed("not_saved", reason, exit_code), status, reason_code };
}
