// `restore` at the machine itself: what the server would order, with nothing but the sealed plan, for the day on which the server is gone too.
import { NO_LIMITS } from "../../shared/bandwidth.ts";
import { bytes } from "../../shared/bytes.ts";
import type { RestoreOrder, RestoreResult } from "../../shared/job_kinds/restore.ts";
import type { ConfigUpdate, Snapshot } from "../../shared/protocol.ts";
import { type Log, openLog } from "../../shared/log.ts";
import { newId } from "../../shared/new_id.ts";
import { visible } from "../../shared/redact.ts";
import { NO_BRAKE } from "../brake/brake.ts";
import { accessRefusal, restoreRefusal } from "../brake/refuse.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { JobControl } from "../jobs/control.ts";
import { markOf } from "../jobs/process_mark.ts";
import { redactorFor } from "../jobs/redact.ts";
import { peekConfig } from "../plan.ts";
import { TIMEOUTS } from "../restic/context.ts";
import type { Outcome } from "../restic/outcome.ts";
import { prepareRestic } from "../restic/prepare.ts";
import { restore } from "../restic/restore.ts";
import { listSnapshots } from "../restic/snapshots.ts";
import { ResticFinder, ResticProblem, type ResticProgram } from "../restic/version.ts";
import { readItems } from "../restore/items.ts";
import { pathsWritten } from "../restore/place.ts";
import { BY_HAND_RESTORES_FILE, UnfinishedRestores } from "../restore/unfinished.ts";
import { agentFilePath, type Settings } from "../settings.ts";
import { NotWhole, reasonOf, StateFolder } from "../state/folder.ts";
import { holdByHand, markedAs } from "./alone.ts";
import {
  readRestoreArguments,
  RESTORE_HELP,
  type RestoreArguments,
  WrongArguments,
} from "./arguments.ts";
import { chooseSnapshot, detailsOf, lineOf } from "./choose.ts";
import { missingIn } from "./holds.ts";
import { type KnownWarnings, readKnownWarnings } from "./known.ts";
import { complain, say, sayOver } from "./output.ts";

const EXIT = { done: 0, failed: 1, wrongUse: 2 } as const;
/** Ctrl-C, a service manager, and a terminal that is gone: what is begun must not go on unseen. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** restic ends at Ctrl-C by itself; one that does not is ended after this. */
const GRACE_MS = 10_000;

/** Returns the exit code. What it has to say goes to stdout, what went wrong to stderr. */
export async function restoreByHand(settings: Settings, args: string[]): Promise<number> {
  let wanted: RestoreArguments;
  try {
    wanted = readRestoreArguments(args);
  } catch (error) {
    if (!(error instanceof WrongArguments)) throw error;
    complain(`${visible(error.message)} Try restore --help.`);
    return EXIT.wrongUse;
  }
  if (wanted.help) {
    say(RESTORE_HELP.trimEnd());
    return EXIT.done;
  }
  if (Deno.build.os !== "windows" && Deno.uid() !== 0) {
    return refused("restore needs root: the plan that holds the repository's password is root's.");
  }
  return await new ByHand(settings, wanted).run();
}

function refused(sentence: string): number {
  complain(visible(sentence));
  return EXIT.failed;
}

/** Or a sentence. */
function configIn(stateDir: string): ConfigUpdate | string {
  try {
    return peekConfig(stateDir) ?? noPlan(stateDir, "that names a repository");
  } catch (error) {
    const why = error instanceof NotWhole ? error.message : `cannot be read (${reasonOf(error)})`;
    return noPlan(stateDir, `that can be used, since it ${why}`);
  }
}

function noPlan(stateDir: string, which: string): string {
  return `There is no plan in ${stateDir} ${which}: this machine has not joined, or its plan was lost. Use restic itself, with the repository's address and password.`;
}

function onSignals(act: () => void): Disposable {
  const heeded = SIGNALS.filter((signal) => {
    try {
      Deno.addSignalListener(signal, act);
      return true;
    } catch {
      // Windows does not know every signal.
      return false;
    }
  });
  return {
    [Symbol.dispose]: () => {
      for (const signal of heeded) Deno.removeSignalListener(signal, act);
    },
  };
}

class ByHand {
  readonly #warnings: KnownWarnings;
  readonly #log: Log;
  readonly #state: StateFolder;
  readonly #control = new JobControl({ onStart: () => {}, onProcess: () => {}, onLock: () => {} });
  #redact: (text: string) => string = (text) => text;
  #isLineOpen = false;

  constructor(private readonly settings: Settings, private readonly wanted: RestoreArguments) {
    this.#log = openLog({ ...settings, logLevel: "error" });
    this.#state = new StateFolder(settings.stateDir, this.#log);
    this.#warnings = readKnownWarnings(settings.stateDir);
  }

  async run(): Promise<number> {
    const stop = () => this.#control.stop("cancelled", GRACE_MS);
    using _heeded = onSignals(stop);
    try {
      const job = await this.#job();
      if (typeof job === "string") return refused(job);
      const listing = await listSnapshots(job);
      if (this.#control.stopped) return refused("Nothing was written.");
      if (listing.failure) {
        return refused(this.#redact(`The repository does not answer: ${listing.failure.reason}`));
      }
      if (this.wanted.list) return this.#list(listing.snapshots);
      const chosen = await this.#choose(job, listing.snapshots);
      if (typeof chosen === "string") return refused(this.#redact(chosen));
      for (const each of chosen.said) say(each);
      say(`From ${lineOf(chosen.snapshot, Date.now())}`);
      this.#tellWarnings(chosen.snapshot.id);
      return await this.#restore(job, chosen.snapshot.id);
    } finally {
      // Whatever broke here must not leave restic at work.
      stop();
      this.#state.close();
    }
  }

  /** The latest is one that was looked into: a file that was deleted since is in an older one. */
  async #choose(job: JobContextOf<"restore">, snapshots: Snapshot[]) {
    const { snapshot: id, items: paths } = this.wanted;
    const lacking = new Map<string, string>();
    const wanted = { id, paths, warnings: this.#warnings, lacking };
    for (;;) {
      const chosen = chooseSnapshot(snapshots, wanted);
      if (typeof chosen === "string" || id !== undefined) return chosen;
      const missing = await missingIn(job, chosen.snapshot.id, readItems(paths));
      if (!missing) return chosen;
      if (this.#control.stopped) return "Nothing was written.";
      if ("status" in missing) return `The snapshot cannot be looked into: ${missing.reason}`;
      lacking.set(chosen.snapshot.id, missing.path);
    }
  }

  #tellWarnings(snapshot: string): void {
    const count = this.#warnings(snapshot);
    if (count === 0) return;
    say(
      count === undefined
        ? "Whether its backup had warnings this machine does not know: look for what you miss."
        : `Its backup had warnings (${count}): look for what you miss.`,
    );
  }

  /** All that a restore is given as a job, or why there is nothing to begin with. */
  async #job(): Promise<JobContextOf<"restore"> | string> {
    const { settings } = this;
    const brake = settings.brake ?? NO_BRAKE;
    const config = configIn(settings.stateDir);
    if (typeof config === "string") return config;
    const access = config.repository;
    if (!access) return noPlan(settings.stateDir, "that names a repository");
    const why = accessRefusal({ brake, settings }, access);
    if (why) return `Not allowed, by ${agentFilePath(settings.configDir)}: ${why}.`;
    this.#redact = redactorFor([access], config.snapshot_host);
    const jobId = newId();
    const program = await new ResticFinder(settings.restic).find().catch((error: unknown) => error);
    if (program instanceof ResticProblem) return program.message;
    if (program instanceof Error) throw program;
    const context = prepareRestic({
      settings,
      state: this.#state,
      timeouts: TIMEOUTS,
      environment: (name) => Deno.env.get(name),
    }, {
      program: program as ResticProgram,
      repository: access,
      snapshotHost: config.snapshot_host,
      limits: NO_LIMITS,
      mark: markOf(markedAs(settings.stateDir), jobId, "restic"),
    });
    if ("status" in context) return context.reason ?? "The repository cannot be opened here.";
    const restores = new UnfinishedRestores(this.#state, BY_HAND_RESTORES_FILE);
    return {
      ...context,
      order: { type: "command.run", kind: "restore", job_id: jobId, repository_id: access.id },
      fileSystems: { of: () => ({}), remember: () => {} },
      machine: { settings, state: this.#state, restores },
      lines: { add: (_, text) => this.#say(text), flush: () => {} },
      control: this.#control,
      report: () => {},
      progress: ({ percent, bytes_done, bytes_total }) =>
        this.#progress(
          `${percent.toFixed(1)} %, ${bytes(bytes_done)} of ${bytes(bytes_total)}`,
        ),
    };
  }

  #list(snapshots: Snapshot[]): number {
    const now = Date.now();
    const newest = snapshots.toSorted((a, b) => b.time - a.time);
    for (const each of newest) {
      say(lineOf(each, now));
      const details = detailsOf(each, this.#warnings(each.id));
      if (details) say(details);
    }
    if (newest.length === 0) say("The repository holds no snapshot of this machine.");
    return EXIT.done;
  }

  async #restore(job: JobContextOf<"restore">, snapshot: string): Promise<number> {
    const order = this.#order(snapshot);
    const { brake = NO_BRAKE, configDir } = this.settings;
    const isInPlace = order.target.kind === "original";
    const why = restoreRefusal(brake, { isInPlace, paths: pathsWritten(order) });
    if (why) return refused(`Not allowed, by ${agentFilePath(configDir)}: ${why}.`);
    if (isInPlace && !order.dry_run && !this.#isMeant(order)) return EXIT.failed;
    const run = () => restore.run!({ ...job, order: { ...job.order, restore: order } });
    const outcome = order.dry_run ? await run() : await this.#alone(run);
    this.#endLine();
    return this.#tell(outcome);
  }

  async #alone(run: () => Promise<Outcome>): Promise<Outcome> {
    const isOver = () => this.#control.stopped !== null;
    using held = await holdByHand(this.settings.stateDir, isOver);
    if (held.ended > 0) say("restic of an earlier restore was still at work and was ended.");
    return await run();
  }

  #order(snapshot: string): RestoreOrder {
    const { items, target, keepPaths, overwrite, dryRun, verify, undo, inPlace } = this.wanted;
    return {
      snapshot,
      items,
      target: inPlace
        ? { kind: "original" }
        : { kind: "folder", path: target!, keep_paths: keepPaths },
      within: null,
      overwrite,
      dry_run: dryRun,
      verify,
      undo: inPlace && undo,
    };
  }

  /** Somebody who types it says so. */
  #isMeant(order: RestoreOrder): boolean {
    say("What is there now is written over:");
    for (const path of pathsWritten(order)) say(`  ${visible(path)}`);
    if (!order.undo) say("It is not saved first.");
    if (this.wanted.yes) return true;
    if (!Deno.stdin.isTerminal()) {
      complain("Nothing was written: say --yes where nobody can be asked.");
      return false;
    }
    if (confirm("Go on?")) return true;
    complain("Nothing was written.");
    return false;
  }

  #tell(outcome: Outcome): number {
    const { status, reason, restored } = outcome;
    const { dryRun } = this.wanted;
    if (restored) say(figuresOf(restored, dryRun));
    if (status === "succeeded" && dryRun) {
      say("Nothing was written: this was a dry run.");
      return EXIT.done;
    }
    if (status === "succeeded" && reason === null) {
      say(restored?.target ? `Whole: ${visible(restored.target)}` : "Whole.");
      return EXIT.done;
    }
    const sentence = visible(this.#redact(reason ?? status));
    if (status === "succeeded") {
      say(sentence);
      return EXIT.done;
    }
    return refused(sentence);
  }

  #say(text: string): void {
    this.#endLine();
    say(visible(this.#redact(text)));
  }

  /** On a terminal alone: elsewhere it would be a line a second. */
  #progress(text: string): void {
    if (!Deno.stdout.isTerminal()) return;
    sayOver(text);
    this.#isLineOpen = true;
  }

  #endLine(): void {
    if (this.#isLineOpen) say("");
    this.#isLineOpen = false;
  }
}

function figuresOf(
  { entries, written, same, kept, failed, attributes }: RestoreResult,
  dryRun: boolean,
): string {
  return [
    `${entries} files and folders: ${written} ${dryRun ? "would be written" : "written"}`,
    ...same > 0 ? [`${same} already the same`] : [],
    ...kept > 0 ? [`${kept} kept as they were`] : [],
    ...attributes > 0 ? [`${attributes} without an attribute`] : [],
    ...failed > 0 ? [`${failed} could not be restored`] : [],
  ].join(", ") + ".";
}
