// What a policy does to a group's snapshots, and whether a person has to agree first. One function for the run, and for
// the preview before it is saved.
import type { Retention } from "../../shared/retention.ts";
import type { OwnSnapshot } from "./own.ts";
import { type Kept, workOut } from "./work_out.ts";

export interface Decision {
  keep: Kept<OwnSnapshot>[];
  remove: OwnSnapshot[];
  /** Why nothing goes before a person agrees, or null. */
  held: string | null;
}

export interface Policy {
  retention: Retention;
  timeZone: string;
  /** The one that the group's last forget went by, or null. */
  last: Retention | null;
}

/** `snapshots` the newest first. */
export function decide(
  snapshots: OwnSnapshot[],
  { retention: policy, timeZone, last }: Policy,
): Decision {
  const kept = withPinned(snapshots, keptBy(snapshots, policy, timeZone));
  const remove = snapshots.filter(({ id }) => !kept.has(id));
  const before = last ? keptBy(snapshots, last, timeZone) : undefined;
  return {
    keep: snapshots.flatMap(({ id }) => kept.get(id) ?? []),
    remove,
    held: heldBecause(snapshots, remove, ({ id }) => before?.has(id) ?? true),
  };
}

function keptBy(
  snapshots: OwnSnapshot[],
  policy: Retention,
  timeZone: string,
): Map<string, Kept<OwnSnapshot>> {
  const all = workOut(snapshots, policy, timeZone);
  // What an admin adopted has times that someone else wrote: it never takes the place of what a job made.
  const made = workOut(snapshots.filter(({ isAdopted }) => !isAdopted), policy, timeZone);
  return new Map([...made.keep, ...all.keep].map((each) => [each.snapshot.id, each]));
}

/**
 * Pinned ones stay on top of what the policy keeps, and fill its slots like any other, as with restic's --keep-tag: pinning one neither
 * takes another's place nor makes room for one.
 */
function withPinned(
  snapshots: OwnSnapshot[],
  kept: Map<string, Kept<OwnSnapshot>>,
): Map<string, Kept<OwnSnapshot>> {
  for (const snapshot of snapshots.filter(({ isPinned }) => isPinned)) {
    const reasons = kept.get(snapshot.id)?.reasons ?? [];
    kept.set(snapshot.id, { snapshot, reasons: [...reasons, "pinned"] });
  }
  return kept;
}

function heldBecause(
  snapshots: OwnSnapshot[],
  remove: OwnSnapshot[],
  wouldStay: (snapshot: OwnSnapshot) => boolean,
): string | null {
  if (remove.length === 0) return null;
  const before = snapshots.filter(({ wasKept }) => wasKept).length;
  const goes = remove.filter(({ wasKept }) => wasKept).length;
  // Ordinary is what newer ones displace under the policy that was in force: each night nearly all of an hourly group with
  // keep_hourly 24. Then as many are left as before.
  const isOrdinary = snapshots.length - remove.length >= before / 2 &&
    !remove.some(wouldStay);
  if (goes > before / 2 && !isOrdinary) {
    return `it would remove ${goes} of the ${before} snapshots that were kept until now`;
  }
  const newestGood = snapshots.find(({ isGood }) => isGood);
  if (newestGood && remove.includes(newestGood)) {
    return "it would remove the newest snapshot that was made without warnings";
  }
  return null;
}
