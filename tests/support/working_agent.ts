// A fake agent that goes on living and does what it is ordered, as on a machine with little to save: for a fleet to click through.
import { newId } from "../../shared/new_id.ts";
import { readServerMessage } from "../../shared/wire.ts";
import type { AnyServerMessage } from "./any_order.ts";
import type { FakeAgent } from "./fake_agent.ts";

const HEARTBEAT_MS = 15_000;
const STEP_MS = 800;
const BYTES = 3 * 2 ** 30;
const FILES = 12_408;
const FOLDER = ["etc", "home", "opt", "root", "srv", "usr", "var"];

/** From here on it answers orders, cancels and questions for folders, until the connection ends. */
export function letWork(agent: FakeAgent): void {
  const jobs = new Map<string, AbortController>();
  const heartbeat = setInterval(
    () => agent.send({ type: "heartbeat", clock: Date.now() }),
    HEARTBEAT_MS,
  );
  agent.socket.addEventListener("close", () => {
    clearInterval(heartbeat);
    for (const job of jobs.values()) job.abort();
  });
  agent.socket.addEventListener("message", ({ data }) => {
    act(agent, jobs, readServerMessage(data));
  });
}

function act(
  agent: FakeAgent,
  jobs: Map<string, AbortController>,
  message: AnyServerMessage,
): void {
  if (message.type === "plan.set") {
    agent.send({ type: "plan.ack", plan_version: message.plan_version });
  } else if (message.type === "command.run") {
    const cancel = new AbortController();
    jobs.set(message.job_id, cancel);
    work(agent, message, cancel.signal).finally(() => jobs.delete(message.job_id));
  } else if (message.type === "command.cancel") {
    jobs.get(message.job_id)?.abort();
  } else if (message.type === "stream.open") {
    const lines = FOLDER.map((name) => JSON.stringify(["folder", name]));
    const end = JSON.stringify({ cut: false, not_text: 0 });
    agent.data(message.stream_id, [...lines, `${end}\n`].join("\n"));
    agent.endStream(message.stream_id);
  }
}

/** A job in five steps, with lines and progress. */
async function work(
  agent: FakeAgent,
  { job_id, kind }: Extract<AnyServerMessage, { type: "command.run" }>,
  cancelled: AbortSignal,
): Promise<void> {
  agent.started(job_id);
  agent.lines(job_id, 1, [`${kind} of an invented host: nothing is read or written`]);
  for (let step = 1; step <= 4; step++) {
    await pause(STEP_MS, cancelled);
    if (agent.closed) return;
    if (cancelled.aborted) return void agent.finished(job_id, CANCELLED);
    agent.lines(job_id, step + 1, [`step ${step} of 4`]);
    if (kind === "backup") agent.send(progressOf(job_id, step / 4));
  }
  agent.finished(job_id, kind === "backup" ? { summary: summary() } : {});
}

const CANCELLED = {
  status: "cancelled",
  exit_code: 130,
  reason: "Cancelled.",
  reason_code: "cancelled",
};

function progressOf(job_id: string, share: number) {
  return {
    type: "job.progress" as const,
    job_id,
    progress: {
      percent: share * 100,
      files_done: Math.round(FILES * share),
      files_total: FILES,
      bytes_done: Math.round(BYTES * share),
      bytes_total: BYTES,
      bytes_per_second: BYTES / 4,
      seconds_elapsed: 4 * share,
      seconds_remaining: 4 * (1 - share),
      current_path: "/home/anna/letters/2026.odt",
    },
  };
}

function summary() {
  return {
    snapshot_id: (newId() + newId()).replaceAll("-", ""),
    files_new: 4,
    files_changed: 12,
    files_unmodified: FILES - 16,
    bytes_added: 18 * 2 ** 20,
    bytes_processed: BYTES,
    seconds: 4,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
