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

/** `snapshots` the newest first. */
export function decide(
  snapshots: OwnSnapshot[],
  policy: Retention,
  timeZone: string,
): Decision {
  const all = workOut(snapshots, policy, timeZone);
  // What an admin adopted has times that somebody else wrote: it never takes the place of what a job made.
  const made = workOut(snapshots.filter(({ isAdopted }) => !isAdopted), policy, timeZone);
  const kept = new Map([...made.keep, ...all.keep].map((each) => [each.snapshot.id, each]));
  const remove = snapshots.filter(({ id }) => !kept.has(id));
  return {
    keep: snapshots.flatMap(({ id }) => kept.get(id) ?? []),
    remove,
    held: heldBecause(snapshots, remove),
  };
}

function heldBecause(snapshots: OwnSnapshot[], remove: OwnSnapshot[]): string | null {
  if (remove.length === 0) return null;
  const before = snapshots.filter(({ wasKept }) => wasKept).length;
  const goes = remove.filter(({ wasKept }) => wasKept).length;
  if (goes > before / 2) {
    return `it would remove ${goes} of the ${before} snapshots that were kept until now`;
  }
  const newestGood = snapshots.find(({ isGood }) => isGood);
  if (newestGood && remove.includes(newestGood)) {
    return "it would remove the newest snapshot that was made without warnings";
  }
  return null;
}
