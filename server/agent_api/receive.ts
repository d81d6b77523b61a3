// One switch over what an agent says.
import { noteApplied } from "../plan/note_applied.ts";
import type { AgentMessage } from "../../shared/protocol.ts";
import type { AgentSocket } from "../connected_agents.ts";
import { AppError } from "../errors.ts";
import { noteAgentProblems } from "../hosts/agent_problems.ts";
import { CLOCKS_AGREE, held } from "../hosts/contact.ts";
import { OverQuotaError, ownOrAdopted } from "../jobs/adopt.ts";
import { ownJob, UnknownJobError } from "../jobs/own.ts";
import { noteProgress } from "../jobs/progress.ts";
import { appendLines, beginJob, finishJob, storeLocks, storeStats } from "../jobs/report.ts";
import type { Server } from "../server.ts";
import { storeSnapshots } from "../snapshots/store.ts";
import { storeWholeList } from "../snapshots/store_whole.ts";

export type Reported = Exclude<
  AgentMessage,
  { type: "hello" | "heartbeat" | "error" | "stream.end" }
>;

/** Carries out one message. Throws forbidden when it refers to what is another host's. */
export async function receive(
  server: Server,
  agent: AgentSocket,
  reported: Reported,
): Promise<void> {
  const { hostId } = agent;
  const message = inServerTime(reported, agent.skew ?? 0, server.now());
  switch (message.type) {
    case "job.started":
      return await beginJob(server, await ownOrAdopted(server, hostId, message), message, {
        at: (reported as typeof message).at,
        skew: agent.skew ?? 0,
      });
    case "job.progress":
      return await noteProgress(server, hostId, message.job_id, message.progress);
    case "log.stream":
      return await appendLines(server, await ownJob(server, hostId, message.job_id), message);
    case "repo.stats":
      await ownJob(server, hostId, message.job_id);
      return await storeStats(server, hostId, message);
    case "repo.locks":
      await ownJob(server, hostId, message.job_id);
      return await storeLocks(server, hostId, message);
    case "job.finished":
      return await finishJob(
        server,
        await ownOrAdopted(server, hostId, message),
        message,
        (reported as typeof message).at,
      );
    case "snapshots.report":
      return message.whole
        ? await storeWholeList(server, hostId, message)
        : await storeSnapshots(server, hostId, message, {
          at: (reported as typeof message).taken_at,
          skew: agent.skew ?? 0,
        });
    case "plan.ack":
      return await noteApplied(server, hostId, message.plan_version);
    case "problems":
      return await noteAgentProblems(server, hostId, message.problems);
    default:
      message satisfies never;
  }
}

/** Times of a host whose clock is wrong in the server's; a machine that is ahead must not look backed up until that day comes. */
function inServerTime(message: Reported, skew: number, now: number): Reported {
  const own = (at: number) => held(at, skew, -Infinity, now);
  switch (message.type) {
    case "job.started":
    case "job.finished":
      return { ...message, at: own(message.at) };
    case "snapshots.report":
      return { ...message, taken_at: own(message.taken_at) };
    case "log.stream":
      // The hottest message: nothing is done to it where nothing is wrong.
      return Math.abs(skew) < CLOCKS_AGREE
        ? message
        : { ...message, lines: message.lines.map((line) => ({ ...line, at: own(line.at) })) };
    default:
      return message;
  }
}

/**
 * A report about a job that is gone (its host's jobs were removed, or the database is an older copy) can never be stored, nor can
 * one that is beyond a quota.
 */
export function cannotBeStored(error: unknown): error is UnknownJobError | OverQuotaError {
  return error instanceof UnknownJobError || error instanceof OverQuotaError;
}

export function isForbidden(error: unknown): error is AppError {
  return error instanceof AppError && error.code === "forbidden";
}
