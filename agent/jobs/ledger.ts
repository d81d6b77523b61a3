// Which jobs this host has taken on, on disk before any of them begins: after a crash each of them is answered for, an
// order that is repeated is not run twice, and a lock that may be left is remembered.
import { join } from "node:path";
import { z } from "zod";
import { id } from "../../shared/fields.ts";
import { JOB_KINDS } from "../../shared/job.ts";
import { type CommandRun, Origin } from "../../shared/protocol.ts";
import { CorruptFile, readIfThere, replaceFile } from "../files.ts";
import { type Log, messageOf } from "../log.ts";
import type { ProcessMark } from "../process.ts";

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
});

/** What is to be done, by the server's word or by this host's own clock. */
export type Order = CommandRun & { origin?: Origin };

export class Ledger {
  readonly #path: string;
  #content: z.infer<typeof Content> = { jobs: [], known: [], locks: [] };
  #known: Set<string>;

  /** Throws CorruptFile. */
  constructor(stateDir: string, private readonly log: Log) {
    this.#path = join(stateDir, "jobs.json");
    const bytes = readIfThere(this.#path);
    if (bytes) this.#content = read(this.#path, bytes);
    this.#known = new Set(this.#content.known);
  }

  /** Jobs that were accepted and have not ended. */
  get unfinished(): Accepted[] {
    return [...this.#content.jobs];
  }

  isKnown(jobId: string): boolean {
    return this.#known.has(jobId);
  }

  accept(order: Order): void {
    const { job_id, kind, repository_id, origin, source_group } = order;
    const job: Accepted = {
      id: job_id,
      kind,
      repository_id,
      state: "accepted",
      restic_started: false,
      ...(origin ? { origin } : {}),
      ...(source_group ? { source_group_id: source_group.id } : {}),
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

  /** Its end stands in the journal. */
  finish(jobId: string): void {
    this.#save({ jobs: this.#content.jobs.filter(({ id }) => id !== jobId) });
  }

  mayHoldLock(repositoryId: string): boolean {
    return this.#content.locks.includes(repositoryId);
  }

  noteLock(repositoryId: string): void {
    if (this.mayHoldLock(repositoryId)) return;
    this.#save({ locks: [...this.#content.locks, repositoryId] });
  }

  forgetLock(repositoryId: string): void {
    if (!this.mayHoldLock(repositoryId)) return;
    this.#save({ locks: this.#content.locks.filter((id) => id !== repositoryId) });
  }

  #change(jobId: string, change: Partial<Accepted>): void {
    const jobs = this.#content.jobs.map((job) => job.id === jobId ? { ...job, ...change } : job);
    this.#save({ jobs });
  }

  #save(change: Partial<z.infer<typeof Content>>): void {
    this.#content = { ...this.#content, ...change };
    try {
      replaceFile(this.#path, JSON.stringify(this.#content));
    } catch (error) {
      // A full disk must not keep this host from being backed up.
      this.log.error(`${this.#path} could not be written: ${messageOf(error)}`);
    }
  }
}

function read(path: string, bytes: Uint8Array): z.infer<typeof Content> {
  try {
    return Content.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw new CorruptFile(path, "is not the list of jobs that it should be");
  }
}
