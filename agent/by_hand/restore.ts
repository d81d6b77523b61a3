// `restore` at the machine itself: what the server would order, with nothing but the sealed plan, for the day on which the server is gone too.
import { NO_LIMITS } from "../../shared/bandwidth.ts";
import { bytes } from "../../shared/bytes.ts";
import type { RestoreOrder, RestoreResult } from "../../shared/job_kinds/restore.ts";
import { type Log, openLog } from "../../shared/log.ts";
import { newId } from "../../shared/new_id.ts";
import { visible } from "../../shared/redact.ts";
import { NO_BRAKE } from "../brake/brake.ts";
import { accessRefusal, restoreRefusal } from "../brake/refuse.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { JobControl } from "../jobs/control.ts";
import { markOf } from "../jobs/process_mark.ts";
import { redactorFor } from "../jobs/redact.ts";
import { Plan } from "../plan.ts";
import { TIMEOUTS } from "../restic/context.ts";
import type { Outcome } from "../restic/outcome.ts";
import { prepareRestic } from "../restic/prepare.ts";
import { restore } from "../restic/restore.ts";
import { listSnapshots } from "../restic/snapshots.ts";
import { ResticFinder } from "../restic/version.ts";
import { pathsWritten } from "../restore/place.ts";
import { UnfinishedRestores } from "../restore/unfinished.ts";
import { agentFilePath, type Settings } from "../settings.ts";
import { StateFolder } from "../state/folder.ts";
import {
  readRestoreArguments,
  RESTORE_HELP,
  type RestoreArguments,
  WrongArguments,
} from "./arguments.ts";
import { chooseSnapshot, lineOf } from "./choose.ts";

const EXIT = { done: 0, failed: 1, wrongUse: 2 } as const;
/** Beside the agent's own note of its restores: it may run at the same time. */
const UNFINISHED = "restores_by_hand.json";
/** restic ends at Ctrl-C by itself; one that does not is ended after this. */
const GRACE_MS = 10_000;

/** Returns the exit code. What it has to say goes to stdout, what went wrong to stderr. */
export async function restoreByHand(settings: Settings, args: string[]): Promise<number> {
  let wanted: RestoreArguments;
  try {
    wanted = readRestoreArguments(args);
  } catch (error) {
    if (!(error instanceof WrongArguments)) throw error;
    console.error(`${visible(error.message)} Try restore --help.`);
    return EXIT.wrongUse;
  }
  if (wanted.help) {
    console.log(RESTORE_HELP.trimEnd());
    return EXIT.done;
  }
  if (Deno.build.os !== "windows" && Deno.uid() !== 0) {
    return refused("restore needs root: the plan that holds the repository's password is root's.");
  }
  return await new ByHand(settings, wanted).run();
}

function refused(sentence: string): number {
  console.error(visible(sentence));
  return EXIT.failed;
}

class ByHand {
  readonly #log: Log;
  readonly #state: StateFolder;
  readonly #control = new JobControl({ onStart: () => {}, onProcess: () => {}, onLock: () => {} });
  #redact: (text: string) => string = (text) => text;
  #isLineOpen = false;

  constructor(private readonly settings: Settings, private readonly wanted: RestoreArguments) {
    this.#log = openLog({ ...settings, logLevel: "error" });
    this.#state = new StateFolder(settings.stateDir, this.#log);
  }

  async run(): Promise<number> {
    const stop = () => this.#control.stop("cancelled", GRACE_MS);
    Deno.addSignalListener("SIGINT", stop);
    try {
      const job = await this.#job();
      if (typeof job === "string") return refused(job);
      const listing = await listSnapshots(job);
      if (listing.failure) {
        return refused(`The repository does not answer: ${listing.failure.reason}`);
      }
      if (this.wanted.list) return this.#list(listing.snapshots);
      const chosen = chooseSnapshot(listing.snapshots, this.wanted.snapshot, this.wanted.items[0]!);
      if (typeof chosen === "string") return refused(chosen);
      for (const each of chosen.said) console.log(each);
      console.log(`From ${lineOf(chosen.snapshot, Date.now())}`);
      console.log("Whether its backup had warnings only the server knows: look for what you miss.");
      return await this.#restore(job, chosen.snapshot.id);
    } finally {
      Deno.removeSignalListener("SIGINT", stop);
      this.#state.close();
    }
  }

  /** All that a restore is given as a job, or why there is nothing to begin with. */
  async #job(): Promise<JobContextOf<"restore"> | string> {
    const { settings } = this;
    const brake = settings.brake ?? NO_BRAKE;
    const config = new Plan(this.#state).config;
    const access = config?.repository;
    if (!config || !access) {
      return `There is no plan in ${settings.stateDir} that names a repository: this machine has not joined, or its plan was lost. Use restic itself, with the repository's address and password.`;
    }
    const why = accessRefusal({ brake, settings }, access);
    if (why) return `Not allowed, by ${agentFilePath(settings.configDir)}: ${why}.`;
    this.#redact = redactorFor([access], config.snapshot_host);
    const jobId = newId();
    const context = prepareRestic({
      settings,
      state: this.#state,
      timeouts: TIMEOUTS,
      environment: (name) => Deno.env.get(name),
    }, {
      program: await new ResticFinder(settings.restic).find(),
      repository: access,
      snapshotHost: config.snapshot_host,
      limits: NO_LIMITS,
      mark: markOf(settings.stateDir, jobId, "restic"),
    });
    if ("status" in context) return context.reason ?? "The repository cannot be opened here.";
    const restores = new UnfinishedRestores(this.#state, UNFINISHED);
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

  #list(snapshots: Parameters<typeof lineOf>[0][]): number {
    const now = Date.now();
    const newest = snapshots.toSorted((a, b) => b.time - a.time);
    for (const each of newest) console.log(lineOf(each, now));
    if (newest.length === 0) console.log("The repository holds no snapshot of this machine.");
    return EXIT.done;
  }

  async #restore(job: JobContextOf<"restore">, snapshot: string): Promise<number> {
    const order = this.#order(snapshot);
    const { brake = NO_BRAKE, configDir } = this.settings;
    const isInPlace = order.target.kind === "original";
    const why = restoreRefusal(brake, { isInPlace, paths: pathsWritten(order) });
    if (why) return refused(`Not allowed, by ${agentFilePath(configDir)}: ${why}.`);
    if (isInPlace && !order.dry_run && !this.#isMeant(order)) return EXIT.failed;
    const outcome = await restore.run!({ ...job, order: { ...job.order, restore: order } });
    this.#endLine();
    return this.#tell(outcome);
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
    console.log("What is there now is written over:");
    for (const path of pathsWritten(order)) console.log(`  ${visible(path)}`);
    if (!order.undo) console.log("It is not saved first.");
    if (this.wanted.yes) return true;
    if (!Deno.stdin.isTerminal()) {
      console.error("Nothing was written: say --yes where nobody can be asked.");
      return false;
    }
    if (confirm("Go on?")) return true;
    console.error("Nothing was written.");
    return false;
  }

  #tell(outcome: Outcome): number {
    const { status, reason, restored } = outcome;
    if (restored) console.log(figuresOf(restored));
    if (status === "succeeded" && reason === null) {
      console.log(restored?.target ? `Whole: ${visible(restored.target)}` : "Whole.");
      return EXIT.done;
    }
    const sentence = visible(this.#redact(reason ?? status));
    if (status === "succeeded") {
      console.log(sentence);
      return EXIT.done;
    }
    return refused(sentence);
  }

  #say(text: string): void {
    this.#endLine();
    console.log(visible(this.#redact(text)));
  }

  /** On a terminal alone: elsewhere it would be a line a second. */
  #progress(text: string): void {
    if (!Deno.stdout.isTerminal()) return;
    Deno.stdout.writeSync(new TextEncoder().encode(`\r${text}   `));
    this.#isLineOpen = true;
  }

  #endLine(): void {
    if (this.#isLineOpen) console.log();
    this.#isLineOpen = false;
  }
}

function figuresOf({ entries, written, same, kept, failed, attributes }: RestoreResult): string {
  return [
    `${entries} files and folders: ${written} written`,
    ...same > 0 ? [`${same} already the same`] : [],
    ...kept > 0 ? [`${kept} kept as they were`] : [],
    ...attributes > 0 ? [`${attributes} without an attribute`] : [],
    ...failed > 0 ? [`${failed} could not be restored`] : [],
  ].join(", ") + ".";
}
