// What the server says, and what is done about it.
import type { ServerMessage } from "../shared/protocol.ts";
import type { Agent } from "./agent.ts";
import { messageOf } from "./log.ts";
import { saveAgentFile } from "./settings.ts";

export function receive(agent: Agent, message: ServerMessage): void {
  switch (message.type) {
    case "config.update":
      return agent.plan.setConfig(message);
    case "schedule.set":
      agent.plan.setSchedule(message);
      agent.timers.look();
      agent.connection.send({
        type: "schedule.ack",
        schedule_version: message.schedule_version,
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
