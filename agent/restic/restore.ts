// A restore: exactly the chosen items, into a folder or to where they were. It is whole only when restic said so and what is there is what
// the snapshot holds.
import type { RestoreOrder } from "../../shared/job_kinds/restore.ts";
import type { JobContextOf } from "../jobs/context.ts";
import type { AgentKind } from "../jobs/kind.ts";
import { ANY_NAME, judgeOf } from "../restore/names.ts";
import { placeInPlace, timesOf } from "../restore/in_place.ts";
import { isText, type Item, jsonPath, type Part, readItems } from "../restore/items.ts";
import { nameOf, pathBelow, placesBelow, placesOfOrigin, sameName } from "../restore/place.ts";
import { dropTarget, isBlindToCase, lookAtTarget, takeTarget } from "../restore/target.ts";
import { Work } from "../restore/work.ts";
import { failed, type Outcome } from "./outcome.ts";
import { isAtLeast } from "./version.ts";

type Job = JobContextOf<"restore">;
type FolderOrder = RestoreOrder & { target: { kind: "folder" } };

export const restore: AgentKind<"restore"> = { run: perform };

async function perform(job: Job): Promise<Outcome> {
  const { restore: order } = job.order;
  if (!order) return failed("no_restore", "The order does not say what to restore.", null);
  const items = readItems(order.items);
  const isWindows = Deno.build.os === "windows";
  if (isWindows && !items.every(isText)) {
    const reason =
      "Nothing was written: Windows passes no names that are not text to restic. Choose the folders that they are in.";
    return failed("not_text", reason, null);
  }
  return isFolder(order) ? await toFolder(job, order, items) : await inPlace(job, order, items);
}

function isFolder(order: RestoreOrder): order is FolderOrder {
  return order.target.kind === "folder";
}

async function toFolder(job: Job, order: FolderOrder, items: Item[]): Promise<Outcome> {
  const first = await lookAtTarget(job, order);
  if ("status" in first) return first;
  // The same order twice would write over itself.
  using held = order.dry_run ? undefined : job.machine.restores.hold(first.path);
  if (!held && !order.dry_run) {
    const reason = `Nothing was written: another restore writes to ${first.path} just now.`;
    return failed("target_refused", reason, null);
  }
  // The one that held it until now may have come to its end, and opened the folder for somebody.
  const target = await lookAtTarget(job, order);
  if ("status" in target) return target;
  const keepPaths = order.target.keep_paths ?? true;
  const parts = partsIn(job, target.path, items, keepPaths);
  if ("status" in parts) return parts;
  const refusal = order.dry_run ? undefined : await takeTarget(job, order, target);
  if (refusal) return refusal;
  const isWindows = Deno.build.os === "windows";
  const isBlind = order.dry_run ? isWindows : await isBlindToCase(target.path).catch(String);
  if (typeof isBlind === "string") {
    await dropTarget(job, target);
    return failed("target_refused", `Nothing was written: ${target.path}: ${isBlind}`, null);
  }
  const work = new Work(job, order, {
    items,
    parts,
    target,
    placeOf: placesBelow(target.path, items, keepPaths),
    judge: judgeOf({ isWindows, isBlind, below: pathBelow(items, keepPaths) }),
  });
  const outcome = await work.run();
  if (!work.hasBegun && !order.dry_run) await dropTarget(job, target);
  return outcome;
}

/** With the whole path all of it is one run; else one for each folder that items are chosen from. */
function partsIn(
  { restic }: Job,
  target: string,
  items: Item[],
  keepPaths: boolean,
): Part[] | Outcome {
  if (keepPaths) return [{ base: [], target, items }];
  const twins = sameName(items);
  if (twins) {
    const [one, other] = twins.map(nameOf);
    const reason =
      `Nothing was written: ${one} and ${other} would be one and the same there. Restore with whole paths.`;
    return failed("same_name", reason, null);
  }
  const parts = Map.groupBy(items, ({ names }) => jsonPath(names.slice(0, -1)));
  const all = [...parts.values()].map((each) => ({
    base: each[0]!.names.slice(0, -1),
    target,
    items: each,
  }));
  if (isAtLeast(restic.version, "0.16.0") || all.every(({ base }) => base.length === 0)) return all;
  const reason =
    `Nothing was written: restic ${restic.version} restores with whole paths only; from 0.16 on it can leave them out.`;
  return failed("restic_too_old", reason, null);
}

async function inPlace(job: Job, order: RestoreOrder, items: Item[]): Promise<Outcome> {
  const parts = await placeInPlace(job, items);
  if ("status" in parts) return parts;
  const giveTimesBack = await timesOf(parts);
  const isWindows = Deno.build.os === "windows";
  const work = new Work(job, order, {
    items,
    parts,
    target: null,
    placeOf: placesOfOrigin,
    judge: isWindows ? judgeOf({ isWindows, isBlind: true, below: (path) => path }) : ANY_NAME,
  });
  const outcome = await work.run();
  if (work.hasBegun && !order.dry_run) {
    for (const problem of await giveTimesBack()) {
      job.lines.add("agent", `The times of a folder could not be given back: ${problem}`);
    }
  }
  return outcome;
}
