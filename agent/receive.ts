// What the server says, and what is done about it.
import type { ServerMessage, StreamOrder } from "../shared/protocol.ts";
import type { Agent } from "./agent.ts";
import { id } from "../shared/fields.ts";
import type { Unreadable } from "../shared/wire.ts";
import { finishJob } from "./jobs/finish.ts";
import { messageOf } from "../shared/log.ts";
import { saveAgentFile } from "./settings.ts";

export function receive(agent: Agent, message: Exclude<ServerMessage, StreamOrder>): void {
  switch (message.type) {
    case "config.update":
      agent.plan.setConfig(message);
      return taken(agent, message.type);
    case "plan.set":
      agent.plan.setSchedule(message);
      taken(agent, message.type);
      agent.timers.look();
      agent.connection.send({
        type: "plan.ack",
        plan_version: message.plan_version,
      });
      return;
    case "command.run":
      return agent.queue.accept(message);
    case "command.cancel":
      return agent.queue.cancel(message.job_id);
    case "bearer.set":
      return useBearer(agent, message.bearer);
    case "report.ack":
      // The connection has told the journal.
      return;
    case "error":
      return agent.log.warn(`The server says: ${message.message}`);
    default:
      return message satisfies never;
  }
}

/**
 * A message that this agent cannot take: what it knew before stays, the server is told, and for an order its job ends. Logged once
 * for as long as it is the same.
 */
export function refuse(agent: Agent, { type, reason, jobId, version }: Unreadable): void {
  switch (type) {
    case "config.update":
    case "plan.set": {
      const which = version === undefined ? "" : ` ${version}`;
      agent.state.problems.begins(
        "plan_refused",
        type,
        `The server's ${WHAT[type]}${which} could not be taken: ${
          reason.replace(/\.$/, "")
        }. This machine goes on with what it had before${
          agent.plan.version > 0 ? ` (plan ${agent.plan.version})` : ""
        }.`,
      );
      return;
    }
    case "command.run":
      agent.log.error(`An order of the server could not be taken: ${reason}`);
      return endRefusedOrder(agent, reason, jobId);
    default:
      agent.log.error(`The server's message was not understood: ${reason}`);
      agent.connection.send({ type: "error", message: reason.slice(0, 1000) });
  }
}

const WHAT = { "config.update": "settings for this host", "plan.set": "plan" };

function taken({ state }: Agent, type: keyof typeof WHAT): void {
  state.problems.ends(type, `The server's ${WHAT[type]} was taken.`);
}

/** Otherwise it would be sent again and again until it is too old. */
function endRefusedOrder(agent: Agent, reason: string, jobId: string | undefined): void {
  const job = id.safeParse(jobId);
  if (!job.success || agent.queue.isKnown(job.data)) return;
  finishJob(agent, job.data, {
    status: "failed",
    reason: `This machine's agent could not take the order: ${reason}.`,
    reason_code: "order_refused",
  });
}

/** An admin chose this machine of two. Only what is stored is used: after a restart the one before would open nothing. */
function useBearer({ settings, connection, log }: Agent, bearer: string): void {
  try {
    saveAgentFile(settings.configDir, { bearer });
  } catch (error) {
    return log.error(`The new bearer of this host could not be stored: ${messageOf(error)}`);
  }
  log.info("This machine was chosen for its host, and has a new bearer");
  connection.useBearer(bearer);
}
