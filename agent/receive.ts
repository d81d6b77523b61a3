// What the server says, and what is done about it.
import type { ServerMessage } from "../shared/protocol.ts";
import type { Agent } from "./agent.ts";

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
    case "report.ack":
      // The connection has told the journal.
      return;
    case "error":
      return agent.log.warn(`The server says: ${message.message}`);
    default:
      return message satisfies never;
  }
}
