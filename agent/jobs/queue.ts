// The jobs of this host: those that write run one after another, those that only read run beside them, two at most, and so do restores
// into a folder, which wait for nothing but what must be alone in the repository.
import type { CommandRun, OrderOf, Origin } from "../../shared/protocol.ts";
import type { Agent } from "../agent.ts";
import { messageOf } from "../../shared/log.ts";
import { type JobLimits, limitsNow, NO_JOB_LIMITS } from "./bandwidth_limits.ts";
import { JobControl } from "./control.ts";
import type { ProcessMark } from "../process.ts";
import { finishInterrupted, finishJob } from "./finish.ts";
import { untilDead } from "./orphans.ts";
import type { Accepted } from "./ledger.ts";
import { cleanUpAfter, runJob } from "./run.ts";
import { KINDS, writesRepository } from "../../shared/job_kinds/all.ts";
import { groupOf, type Order, restoreOf } from "./order.ts";

interface Running {
  order: Order;
  limits: JobLimits;
  control: JobControl;
  done: Promise<void>;
}

const MOST_READERS = 2;
const LONGEST_DRAIN_MS = 300_000;
// restic goes on until what it has in flight is sent.
const BYTES_IN_FLIGHT = 30_000_000;

export class JobQueue {
  #waiting: Order[] = [];
  #running: Running[] = [];
  #isStopping = false;

  constructor(private readonly agent: Agent) {}

  /** Everything accepted that has not ended. */
  get ids(): string[] {
    return [...this.#running.map(({ order }) => order), ...this.#waiting].map((o) => o.job_id);
  }

  /** Takes an order on, durably. One that was given before is ignored: the server may repeat itself. */
  accept(order: CommandRun): void {
    const { log } = this.agent;
    if (this.#isStopping) return;
    if (this.isKnown(order.job_id)) {
      log.debug(`Job ${order.job_id} is known already`);
      return;
    }
    log.info(`Accepted ${order.kind} job ${order.job_id}`);
    this.#take(order);
  }

  /**
   * Takes on a run that this host's own clock started. One of a group that is still waiting or running is not started
   * twice: it is reported as skipped.
   */
  acceptScheduled(jobId: string, origin: Origin): void {
    const { ledger, log, plan } = this.agent;
    if (this.#isStopping || this.isKnown(jobId)) return;
    const order: Order = {
      type: "command.run",
      job_id: jobId,
      kind: origin.kind,
      repository_id: origin.repository_id,
      origin,
      ...this.#groupOf(plan, origin),
    };
    const same = [...this.#running.map((run) => run.order), ...this.#waiting].find((each) =>
      groupOf(each)?.id === origin.source_group_id
    );
    if (!same) {
      log.info(`A schedule started ${origin.kind} job ${jobId} of ${origin.source_group_name}`);
      return this.#take(order);
    }
    ledger.accept(order);
    finishJob(this.agent, jobId, {
      status: "skipped",
      reason: `Not started: the run before of "${origin.source_group_name}" is still going.`,
      reason_code: "still_running",
      origin,
    });
  }

  /** The journal knows of ends also where the ledger was lost. */
  isKnown(jobId: string): boolean {
    const { ledger, journal } = this.agent;
    return ledger.isKnown(jobId) || journal.unacknowledgedEnds.includes(jobId);
  }

  #groupOf(plan: Agent["plan"], origin: Origin): Pick<OrderOf<Origin["kind"]>, "source_group"> {
    const group = plan.schedule?.source_groups.find(({ id }) => id === origin.source_group_id);
    return group ? { source_group: group } : {};
  }

  #take(order: Order): void {
    this.agent.ledger.accept(order);
    this.#waiting.push(order);
    this.#startNext();
  }

  cancel(jobId: string): void {
    const running = this.#running.find(({ order }) => order.job_id === jobId);
    running?.control.stop("cancelled", this.#grace(running.limits));
    const waiting = this.#waiting.find((order) => order.job_id === jobId);
    if (!waiting) return;
    this.#waiting = this.#waiting.filter((order) => order !== waiting);
    finishJob(this.agent, jobId, {
      status: "cancelled",
      reason: "Cancelled before it began.",
      reason_code: "cancelled",
      ...originOf(waiting),
    });
  }

  /** Resolves when nothing runs or waits any more. */
  async whenIdle(): Promise<void> {
    while (this.#running.length > 0) await Promise.all(this.#running.map(({ done }) => done));
  }

  /** Ends what runs, answers for what waits, takes nothing more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const order of waiting) {
      finishJob(this.agent, order.job_id, {
        status: "interrupted",
        reason: "The agent was stopped before this job began.",
        reason_code: "agent_stopped",
        ...originOf(order),
      });
      if (order.origin) this.agent.timers.catchUp(order.origin);
    }
    for (const { control } of this.#running) {
      control.stop("agent_stopped", this.agent.timeouts.graceMs);
    }
    await Promise.all(this.#running.map(({ done }) => done));
  }

  #startNext(): void {
    for (const order of [...this.#waiting]) {
      if (!this.#mayStart(order)) continue;
      this.#waiting = this.#waiting.filter((waiting) => waiting !== order);
      this.#start(order);
    }
  }

  #mayStart(order: Order): boolean {
    const lane = laneOf(order);
    const running = this.#running.map((run) => run.order);
    const alike = running.filter((each) => laneOf(each) === lane);
    if (alike.length >= (lane === "writing" ? 1 : MOST_READERS)) return false;
    // One of an agent before this one may still write where this one is to.
    if (restoreOf(order) && running.some(isLeftRestore)) return false;
    // Its lock in the repository and theirs exclude each other.
    return !running.some((each) =>
      laneOf(each) !== lane && (isAlone(each) && lane === "restoring" ||
        isAlone(order) && laneOf(each) === "restoring")
    );
  }

  /** The end of a job of an earlier run of the agent, when its restic is dead, with the post hook that it still owes. Nothing else writes before. */
  cleanUpAfter(job: Accepted, orphan?: ProcessMark): void {
    const { id: job_id, kind, repository_id } = job;
    // Only its place in the queue counts: it is not run again.
    const order = { type: "command.run", job_id, kind, repository_id } as Order;
    this.#run(order, async (_, control) => {
      if (orphan && !await untilDead(orphan, () => this.#isStopping)) return;
      if (job.post_hook_due) await cleanUpAfter(this.agent, job, control);
      else finishInterrupted(this.agent, job);
    });
  }

  #start(order: Order): void {
    this.#run(order, (limits, control) => runJob(this.agent, order, limits, control));
  }

  #run(order: Order, work: (limits: JobLimits, control: JobControl) => Promise<void>): void {
    const { ledger } = this.agent;
    const control = new JobControl({
      onStart: () => ledger.resticStarts(order.job_id),
      onProcess: (process) => ledger.resticRuns(order.job_id, process),
      onLock: () => ledger.noteLock(order.repository_id),
    });
    const running: Running = { order, limits: NO_JOB_LIMITS, control, done: Promise.resolve() };
    const begin = async () => {
      running.limits = limitsNow(this.agent, order);
      await work(running.limits, control);
    };
    this.#running.push(running);
    running.done = begin().catch((error) => this.#broken(order, error)).then(() => {
      this.#running = this.#running.filter((each) => each !== running);
      if (!this.#isStopping) this.#startNext();
    });
  }

  /** Nobody awaits a job but the end of the agent: one that ended without an end of its own gets one here. */
  #broken(order: Order, error: unknown): void {
    const { log } = this.agent;
    log.error(`Job ${order.job_id}: ${messageOf(error)}`);
    try {
      finishJob(this.agent, order.job_id, {
        status: "failed",
        reason: `The agent could not run this job: ${messageOf(error)}`,
        reason_code: "agent_error",
        ...originOf(order),
      });
    } catch (fault) {
      log.error(`The end of job ${order.job_id} could not be reported: ${messageOf(fault)}`);
    }
  }

  /** A throttled restic needs time to send what it holds before it can remove its lock. */
  #grace({ bandwidth_up_kib_per_s: kibps }: JobLimits): number {
    const drainMs = kibps && kibps > 0 ? BYTES_IN_FLIGHT / (kibps * 1024) * 1000 : 0;
    return this.agent.timeouts.graceMs + Math.min(drainMs, LONGEST_DRAIN_MS);
  }
}

type Lane = "writing" | "reading" | "restoring";

/** A restore to where the files were runs beside no backup, which would save half of each state. */
function laneOf(order: Order): Lane {
  const restore = restoreOf(order);
  if (restore) return restore.target.kind === "folder" ? "restoring" : "writing";
  return writesRepository(order.kind) ? "writing" : "reading";
}

/** A restore of which only the end is waited for: see cleanUpAfter(). */
function isLeftRestore(order: Order): boolean {
  return "restore" in KINDS[order.kind].order && !restoreOf(order);
}

/** In its repository, by restic's own lock. */
function isAlone({ kind }: Order): boolean {
  return KINDS[kind].lease === "exclusive";
}

/** Until the server knows of a scheduled job, each report that may be its first tells where it comes from. */
function originOf(order: Order): { origin?: Origin } {
  return order.origin ? { origin: order.origin } : {};
}
