// Which jobs this host has taken on, on disk before any of them begins: after a crash each of them is answered for, an
// order that is repeated is not run twice, and a lock that may be left is remembered.
import { groupOf, type Order } from "./order.ts";
import { z } from "zod";
import { id } from "../../shared/fields.ts";
import { Origin } from "../../shared/protocol.ts";
import type { ProcessMark } from "../process.ts";
import { jsonAs, type StateFolder } from "../state/folder.ts";
import { JOB_KINDS } from "../../shared/job_kinds/all.ts";

const KNOWN_LIMIT = 2000;

const Accepted = z.object({
  id,
  kind: z.enum(JOB_KINDS),
  repository_id: id,
  state: z.enum(["accepted", "running"]),
  /** restic was started, so a lock of it may be left. */
  restic_started: z.boolean(),
  /** Of a job that this host's own clock started. */
  origin: Origin.optional(),
  source_group_id: id.optional(),
  /** This backup has begun and has a post hook, which has not. */
  post_hook_due: z.boolean().optional(),
  /** What ran last, where it can be recognised again. */
  process: z.object({ pid: z.int().min(2), path: z.string(), verb: z.string() }).optional(),
});
export type Accepted = z.infer<typeof Accepted>;

const Content = z.object({
  jobs: z.array(Accepted),
  /** Ids of all jobs ever accepted, the newest last. */
  known: z.array(id),
  /** Repositories in which a lock of this host may be left. */
  locks: z.array(id),
  /** The list before this one was lost: in which boot of the machine, and which repositories hold no lock of that time any more. */
  lost: z.object({ boot_id: z.string().nullable(), no_lock: z.array(id) }).optional(),
});
type Content = z.infer<typeof Content>;

const FILE = "jobs.json";

export interface LedgerOptions {
  /** Something else in the state folder shows that there was a ledger; without one it is lost. */
  mustBeThere?: boolean;
  /** Of the running system; undefined where it cannot be told. */
  bootId?: string | undefined;
  /** The ledger was damaged or is gone. The sentence says what was found, and where it is kept. */
  onLost?: (what: string, aside: string | null) => void;
}

export class Ledger {
  #content: Content = { jobs: [], known: [], locks: [] };
  #known: Set<string>;

  /** Never throws: one that cannot be used is put aside, and a new one begins that knows of its loss. */
  constructor(private readonly folder: StateFolder, private readonly options: LedgerOptions = {}) {
    const { value, damage } = folder.read(FILE, jsonAs(Content));
    if (value) this.#content = value;
    this.#known = new Set(this.#content.known);
    if (damage) this.#isLost(damage.what, damage.aside);
    else if (!value && options.mustBeThere) this.#isLost(`${folder.path}/${FILE} is gone`, null);
    // So that one which is gone later is missed.
    else if (!value) this.#save({});
  }

  /**
   * An earlier list of jobs was lost since the machine was started: what it named may still run, as far as this list can tell.
   * Where the boot cannot be told it stays so for as long as this list lives.
   */
  get isLost(): boolean {
    const { lost } = this.#content;
    if (!lost) return false;
    const { bootId } = this.options;
    return !bootId || !lost.boot_id || lost.boot_id === bootId;
  }

  /** Jobs that were accepted and have not ended. */
  get unfinished(): Accepted[] {
    return [...this.#content.jobs];
  }

  isKnown(jobId: string): boolean {
    return this.#known.has(jobId);
  }

  accept(order: Order): void {
    const { job_id, kind, repository_id, origin } = order;
    const group = groupOf(order);
    const job: Accepted = {
      id: job_id,
      kind,
      repository_id,
      state: "accepted",
      restic_started: false,
      ...(origin ? { origin } : {}),
      ...(group ? { source_group_id: group.id } : {}),
    };
    const known = [...this.#content.known, job_id].slice(-KNOWN_LIMIT);
    this.#known = new Set(known);
    this.#save({ known, jobs: [...this.#content.jobs, job] });
  }

  /** `postHookDue`: it has a post hook, which runs however early the job ends. */
  begin(jobId: string, postHookDue = false): void {
    this.#change(jobId, { state: "running", ...(postHookDue ? { post_hook_due: true } : {}) });
  }

  resticStarts(jobId: string): void {
    const job = this.#content.jobs.find(({ id }) => id === jobId);
    if (!job?.restic_started) this.#change(jobId, { restic_started: true });
  }

  resticRuns(jobId: string, process: ProcessMark): void {
    this.#change(jobId, { process });
  }

  postHookBegins(jobId: string): void {
    const job = this.#content.jobs.find(({ id }) => id === jobId);
    if (job?.post_hook_due) this.#change(jobId, { post_hook_due: false });
  }

  /** Its end is in the journal. */
  finish(jobId: string): void {
    this.#save({ jobs: this.#content.jobs.filter(({ id }) => id !== jobId) });
  }

  /** After a loss of the ledger every repository may hold one. */
  mayHoldLock(repositoryId: string): boolean {
    const { locks, lost } = this.#content;
    return locks.includes(repositoryId) || (lost ? !lost.no_lock.includes(repositoryId) : false);
  }

  noteLock(repositoryId: string): void {
    if (this.#content.locks.includes(repositoryId)) return;
    this.#save({ locks: [...this.#content.locks, repositoryId] });
  }

  forgetLock(repositoryId: string): void {
    if (!this.mayHoldLock(repositoryId)) return;
    const { locks, lost } = this.#content;
    this.#save({
      locks: locks.filter((id) => id !== repositoryId),
      ...(lost ? { lost: { ...lost, no_lock: withOne(lost.no_lock, repositoryId) } } : {}),
    });
  }

  #change(jobId: string, change: Partial<Accepted>): void {
    const jobs = this.#content.jobs.map((job) => job.id === jobId ? { ...job, ...change } : job);
    this.#save({ jobs });
  }

  #isLost(what: string, aside: string | null): void {
    this.#save({ lost: { boot_id: this.options.bootId ?? null, no_lock: [] } });
    this.options.onLost?.(what, aside);
  }

  /** A full disk must not keep this host from being backed up: what it does not take is kept in memory. */
  #save(change: Partial<Content>): void {
    this.#content = { ...this.#content, ...change };
    this.folder.write(FILE, JSON.stringify(this.#content));
  }
}

function withOne(list: string[], one: string): string[] {
  return list.includes(one) ? list : [...list, one];
}
