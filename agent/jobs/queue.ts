// The jobs of this host: those that write run one after another, those that only read run beside them, two at most.
import { writesRepository } from "../../shared/job.ts";
import type { CommandRun } from "../../shared/protocol.ts";
import { type Caps, capsInForce } from "../../shared/bandwidth.ts";
import type { Agent } from "../agent.ts";
import { JobControl } from "./control.ts";
import { finishJob } from "./finish.ts";
import { runJob } from "./run.ts";

interface Running {
  order: CommandRun;
  control: JobControl;
  done: Promise<void>;
}

const MOST_READERS = 2;
const LONGEST_DRAIN_MS = 300_000;
// restic goes on until what it has in flight is sent.
const BYTES_IN_FLIGHT = 30_000_000;

export class JobQueue {
  #waiting: CommandRun[] = [];
  #running: Running[] = [];
  #isStopping = false;

  constructor(private readonly agent: Agent) {}

  /** Everything accepted that has not ended. */
  get ids(): string[] {
    return [...this.#running.map(({ order }) => order), ...this.#waiting].map((o) => o.job_id);
  }

  /** Takes an order on, durably. One that was given before is ignored: the server may repeat itself. */
  accept(order: CommandRun): void {
    const { ledger, log } = this.agent;
    if (this.#isStopping) return;
    if (ledger.isKnown(order.job_id)) {
      log.debug(`Job ${order.job_id} is known already`);
      return;
    }
    ledger.accept(order);
    log.info(`Accepted ${order.kind} job ${order.job_id}`);
    this.#waiting.push(order);
    this.#startNext();
  }

  cancel(jobId: string): void {
    const running = this.#running.find(({ order }) => order.job_id === jobId);
    running?.control.stop("cancelled", this.#grace(running.order));
    const waiting = this.#waiting.find((order) => order.job_id === jobId);
    if (!waiting) return;
    this.#waiting = this.#waiting.filter((order) => order !== waiting);
    finishJob(this.agent, jobId, {
      status: "cancelled",
      reason: "Cancelled before it began.",
      reason_code: "cancelled",
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
      });
    }
    for (const { control } of this.#running) {
      control.stop("agent_stopped", this.agent.limits.graceMs);
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

  #mayStart(order: CommandRun): boolean {
    const writes = writesRepository(order.kind);
    const alike = this.#running.filter((run) => writesRepository(run.order.kind) === writes);
    return alike.length < (writes ? 1 : MOST_READERS);
  }

  #start(order: CommandRun): void {
    const { ledger } = this.agent;
    const control = new JobControl({
      onStart: () => ledger.resticStarts(order.job_id),
      onProcess: (process) => ledger.resticRuns(order.job_id, process),
      onLock: () => ledger.noteLock(order.repository_id),
    });
    const done = runJob(this.agent, order, control).finally(() => {
      this.#running = this.#running.filter((running) => running.order !== order);
      if (!this.#isStopping) this.#startNext();
    });
    this.#running.push({ order, control, done });
  }

  /** A throttled restic needs time to send what it holds before it can remove its lock. */
  #grace(order: CommandRun): number {
    const config = this.agent.plan.config;
    const host: Caps = config ?? { bandwidth_up_kbps: null, bandwidth_down_kbps: null };
    const { bandwidth_up_kbps: kibps } = capsInForce(host, order);
    const drainMs = kibps && kibps > 0 ? BYTES_IN_FLIGHT / (kibps * 1024) * 1000 : 0;
    return this.agent.limits.graceMs + Math.min(drainMs, LONGEST_DRAIN_MS);
  }
}
