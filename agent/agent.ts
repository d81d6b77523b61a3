// The agent's parts: the first argument of whatever acts for this host.
import type { Brake } from "./brake/brake.ts";
import type { TimeSource } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { JobQueue } from "./jobs/queue.ts";
import type { Ledger } from "./jobs/ledger.ts";
import type { ProcessMark } from "./process.ts";
import type { Journal } from "./journal/journal.ts";
import type { FileSystemMemory } from "./file_systems.ts";
import type { Log } from "../shared/log.ts";
import type { Plan } from "./plan.ts";
import type { ResticFinder } from "./restic/version.ts";
import type { UnfinishedRestores } from "./restore/unfinished.ts";
import type { Settings } from "./settings.ts";
import type { StateFolder } from "./state/folder.ts";
import type { Timers } from "./timers.ts";
import type { Timeouts } from "./restic/context.ts";

export interface Agent {
  settings: Settings;
  /** What the machine's owner allows. */
  brake: Brake;
  log: Log;
  /** The state folder, and what is wrong with it. */
  state: StateFolder;
  journal: Journal;
  ledger: Ledger;
  plan: Plan;
  /** Which run of the agent this is: random, in memory alone, so that no copy of its state has it. */
  instance: string;
  queue: JobQueue;
  timers: Timers;
  clock: TimeSource;
  connection: Connection;
  restic: ResticFinder;
  fileSystems: FileSystemMemory;
  /** Restores into a folder that did not come to their end. */
  restores: UnfinishedRestores;
  timeouts: Timeouts;
  /** What an earlier agent left running and this one killed. */
  orphans: ProcessMark[];
  /** Of the running system; undefined where it cannot be told. */
  bootId: string | undefined;
  environment: (name: string) => string | undefined;
  /** Ends running jobs within the grace, tells the journal, closes the socket. */
  stop: () => Promise<void>;
}
