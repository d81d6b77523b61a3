// What outlives a job. Looked for when all of the job has ended, after its post hook: a pre hook may start what the post hook stops.
import type { Agent } from "../agent.ts";
import { messageOf } from "../../shared/log.ts";
import type { LineTarget } from "./hook_output.ts";
import { findMarked, findMarkedNow, type Marked } from "./marked.ts";
import { type Phase } from "./process_mark.ts";

/** How it was left: by a job that ended by itself, or by one that was told to stop or ended by force. */
export interface LeftBy {
  jobId: string;
  lines: LineTarget;
  graceMs: number;
}

const WORDS: Record<Phase, string> = {
  pre: "the pre_hook",
  post: "the post_hook",
  restic: "restic",
};
const LOOK_MS = 200;
/** One that keeps starting others is not followed for ever. */
const LONGEST_KILL_MS = 5000;
const SHOWN = 10;

/**
 * Ends what a job left running, however it detached itself: asked first, killed after the grace. What the post hook left is only
 * named, since starting a service again is what post hooks are for. Never throws.
 */
export async function endSurvivors(agent: Agent, left: LeftBy): Promise<void> {
  const { jobId, lines } = left;
  try {
    const all = await ofJob(agent, jobId);
    const stays = (each: Marked) => each.phase === "post";
    const kept = all.filter(stays);
    if (kept.length > 0) {
      lines.add("agent", `${named(kept)} still ${runs(kept)}; left alone, ${BY_POST}.`);
    }
    const ended = all.filter((each) => !stays(each));
    if (ended.length === 0) return;
    lines.add(
      "agent",
      `${named(ended)} outlived the job and ${is(ended)} ended now. ${MEANT_TO_STAY}`,
    );
    const rest = await end(agent, { jobId, stays, graceMs: left.graceMs });
    if (rest.length > 0) lines.add("agent", `Warning: ${named(rest)} could not be ended.`);
  } catch (error) {
    lines.add(
      "agent",
      `Warning: what outlived this job could not be looked for: ${messageOf(error)}.`,
    );
  }
}

const BY_POST = "since what a post_hook starts may be a service";
const MEANT_TO_STAY =
  "What a pre_hook starts to stay must be started without RM_PROCESS_MARK (env -u RM_PROCESS_MARK …).";

/** The jobs of an earlier agent: nothing of them goes on, but for what a post hook that is still due may have to stop. */
export function endLeftOver(agent: Agent): void {
  try {
    const due = new Set(
      agent.ledger.unfinished.filter(({ post_hook_due }) => post_hook_due).map(({ id }) => id),
    );
    const all = findMarkedNow(agent.settings.stateDir);
    const over = all.filter(({ jobId, phase }) =>
      phase === "restic" || (phase === "pre" && !due.has(jobId))
    );
    if (over.length === 0) return;
    for (const each of over) signal(each, "SIGKILL");
    agent.log.warn(`${named(over)} outlived an earlier agent and ${was(over)} killed`);
    agent.orphans.push(...over.map(({ pid, name }) => ({ pid, path: name, verb: "" })));
  } catch (error) {
    agent.log.warn(`What outlived an earlier agent could not be looked for: ${messageOf(error)}`);
  }
}

interface Ending {
  jobId: string;
  stays: (marked: Marked) => boolean;
  graceMs: number;
}

async function end(agent: Agent, { jobId, stays, graceMs }: Ending): Promise<Marked[]> {
  const began = performance.now();
  const asked = new Set<number>();
  for (;;) {
    const found = (await ofJob(agent, jobId)).filter((each) => !stays(each));
    const age = performance.now() - began;
    if (found.length === 0 || age > graceMs + LONGEST_KILL_MS) return found;
    for (const each of found) {
      if (age > graceMs) signal(each, "SIGKILL");
      else if (!asked.has(each.pid)) signal(each, "SIGTERM");
      asked.add(each.pid);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function ofJob({ settings }: Agent, jobId: string): Promise<Marked[]> {
  return (await findMarked(settings.stateDir)).filter((each) => each.jobId === jobId);
}

function signal({ pid }: Marked, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function named(list: Marked[]): string {
  const shown = list.slice(0, SHOWN).map(({ name, pid, phase }) =>
    `${name} (process ${pid}, of ${WORDS[phase]})`
  );
  return shown.join(", ") + (list.length > SHOWN ? ` and ${list.length - SHOWN} more` : "");
}

const runs = (list: Marked[]) => list.length === 1 ? "runs" : "run";
const is = (list: Marked[]) => list.length === 1 ? "is" : "are";
const was = (list: Marked[]) => list.length === 1 ? "was" : "were";
