// A restore from the listing of what is wanted to what it came to, wherever it goes.
import { bytes } from "../../shared/bytes.ts";
import type { RestoreOrder, RestoreResult } from "../../shared/job_kinds/restore.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { ended, failed, type Outcome, stoppedBy } from "../restic/outcome.ts";
import { isAtLeast } from "../restic/version.ts";
import { type Expected, listExpected, LISTINGS, type NameJudge } from "./expected.ts";
import { Failures } from "./failures.ts";
import type { Item, Part } from "./items.ts";
import type { PlaceOf } from "./place.ts";
import { type Restored, runParts } from "./run_parts.ts";
import { freeAt, openTarget, type TargetFolder } from "./target.ts";
import { saveForUndo } from "./undo.ts";
import { verify } from "./verify.ts";

type Job = JobContextOf<"restore">;

export interface Place {
  items: Item[];
  parts: Part[];
  /** null: where the files were. */
  target: TargetFolder | null;
  placeOf: PlaceOf;
  judge: NameJudge;
}

/** From the listing to the result. */
export class Work {
  /** Something may have been written. */
  hasBegun = false;
  readonly #failures = new Failures();
  #undo: string | null = null;

  constructor(
    private readonly job: Job,
    private readonly order: RestoreOrder,
    private readonly place: Place,
  ) {}

  async run(): Promise<Outcome> {
    const { job, order, place } = this;
    job.lines.add("agent", "Looking at what is to be restored.");
    const expected = await listExpected(job, order.snapshot, {
      folder: job.machine.state.scratch(LISTINGS),
      items: place.items,
      judge: place.judge,
      onFailure: (failure) => this.#failures.add(failure),
    });
    if ("status" in expected) return expected;
    try {
      return await this.#write(expected);
    } finally {
      await Deno.remove(expected.file).catch((error) =>
        job.lines.add("agent", `A temporary file stays: ${error}`)
      );
    }
  }

  async #write(expected: Expected): Promise<Outcome> {
    const { job, order, place } = this;
    job.lines.add("agent", `${expected.entries} files and folders, ${bytes(expected.bytes)}.`);
    const noRoom = await this.#room(expected);
    if (noRoom) return noRoom;
    if (order.undo && !order.dry_run && place.target === null) {
      const saved = await saveForUndo(job, place.items);
      if (saved !== null && typeof saved !== "string") return saved;
      this.#undo = saved;
    }
    const { stopped } = job.control;
    if (stopped) return { ...stoppedBy(stopped, null), reason: "Nothing was written." };
    this.hasBegun = true;
    // Before 0.17 it cannot say what it would do; in a new folder that is all of it.
    const canSay = !order.dry_run || isAtLeast(job.restic.version, "0.17.0");
    const restored = canSay
      ? await this.#restic(expected, order.dry_run)
      : { skipped: 0, toWrite: expected.bytes, failure: undefined };
    if (!order.dry_run && !restored.failure) await this.#verify(expected);
    return await this.#outcome(expected, restored);
  }

  async #restic(
    { bytes, entries }: Expected,
    dryRun: boolean,
    failures = this.#failures,
  ): Promise<Restored> {
    const { snapshot, overwrite, verify } = this.order;
    const { parts } = this.place;
    const wanted = { snapshot, parts, overwrite, dryRun, verify, bytes, entries, failures };
    return await runParts(this.job, wanted);
  }

  /** What is there already needs no room, of which only restic knows how much that is. */
  async #room(expected: Expected): Promise<Outcome | undefined> {
    const { target, parts } = this.place;
    const free = await freeAt(parts.map((part) => part.target));
    // Several disks, or one that does not say: restic tells what it could not write.
    if (free === undefined) return undefined;
    const spare = Math.min(expected.bytes / 10, 2 ** 30);
    if (this.order.dry_run || free >= expected.bytes + spare) return undefined;
    const canSay = isAtLeast(this.job.restic.version, "0.17.0");
    const isNew = target !== null && !target.continued;
    if (!isNew && !canSay) return undefined;
    // What a dry run has to say of single items is for nobody: it is asked for the size alone.
    const needed = isNew
      ? expected.bytes
      : (await this.#restic(expected, true, new Failures())).toWrite;
    if (free >= needed + Math.min(needed / 10, 2 ** 30)) return undefined;
    return failed(
      "no_space",
      `Nothing was written: it needs ${bytes(needed)} and some spare room, and ${
        bytes(free)
      } are free there.`,
      null,
    );
  }

  async #verify(expected: Expected): Promise<void> {
    const { overwrite } = this.order;
    await verify(expected, {
      target: this.place.target?.path ?? null,
      placeOf: this.place.placeOf,
      sizesMayDiffer: this.place.target === null &&
        (overwrite === "never" || overwrite === "if-newer"),
      failures: this.#failures,
      control: this.job.control,
    });
  }

  async #outcome(expected: Expected, restored: Restored): Promise<Outcome> {
    const { order, place } = this;
    const { failed: lost, attributes } = this.#failures;
    const { failure } = restored;
    const isWhole = !failure && lost === 0 && !this.job.control.stopped;
    const owner = [...expected.owners].sort(([a], [b]) => a < b ? -1 : 1)[0]?.[1] ?? 0;
    const opened = place.target && isWhole && !order.dry_run
      ? await openTarget(this.job, place.target, owner)
      : null;
    const result = this.#result(expected, restored, opened);
    for (const { path, problem } of this.#failures.told) {
      this.job.lines.add("agent", `${path}: ${problem}`);
    }
    if (failure) return { ...failure, reason: this.#unfinished(failure.reason), restored: result };
    const { stopped } = this.job.control;
    if (stopped) {
      const end = stoppedBy(stopped, null);
      return { ...end, reason: this.#unfinished(end.reason), restored: result };
    }
    if (lost > 0) {
      const [first] = this.#failures.told;
      const reason =
        `Not whole: ${lost} of ${expected.entries} files and folders are not as they are in the snapshot, such as ${first?.path}: ${first?.problem}.`;
      return { ...failed("not_whole", reason, 1), restored: result };
    }
    if (attributes === 0) return { ...ended("succeeded", null, null, 0), restored: result };
    const [first] = this.#failures.told;
    const reason =
      `The content is whole. Of ${attributes} files and folders an owner, a mode, a time or another attribute could not be set, such as ${first?.path}: ${first?.problem}.`;
    const warned = ended("succeeded", "attributes", reason, 1);
    return { ...warned, warnings: attributes, restored: result };
  }

  #unfinished(reason: string | null): string {
    const { target } = this.place;
    const rest = target
      ? `What came until then lies in ${target.path}, which stays closed; the same restore goes on there.`
      : "Some files may have been written: the same restore does the rest.";
    return reason ? `${reason} ${rest}` : rest;
  }

  #result(
    { entries, bytes }: Expected,
    { skipped, failure }: Restored,
    opened: number | null,
  ): RestoreResult {
    const { order, place } = this;
    const { failed: lost, attributes, told } = this.#failures;
    const isChecked = !failure && !this.job.control.stopped;
    const checked = isChecked && !order.dry_run;
    const isCounted = checked || order.dry_run;
    const there = isCounted ? Math.min(entries, skipped) : 0;
    const isSame = place.target !== null || order.overwrite === "always" ||
      order.overwrite === "if-changed";
    return {
      entries,
      bytes,
      written: isCounted ? Math.max(0, entries - there - lost) : 0,
      same: isSame ? there : 0,
      kept: isSame ? 0 : there,
      failed: Math.min(entries, lost),
      attributes,
      failures: told,
      target: place.target?.path ?? null,
      opened_for: opened,
      checked,
      // restic reads again what it has written, and nothing that it left as it was.
      verified: order.verify && checked && lost === 0 &&
        (place.target !== null || order.overwrite === "always"),
      continued: place.target?.continued ?? false,
      undo_snapshot: this.#undo,
    };
  }
}
