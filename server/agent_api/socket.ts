// GET /ws/agent: the one connection of each host.
import { OFFLINE_AFTER_SECONDS } from "../../shared/protocol.ts";
import type { KnownHost } from "../hosts/find_by_bearer.ts";
import type { Server } from "../server.ts";
import { Conversation } from "./conversation.ts";

/** Upgrades the request of a host that is known by its bearer, and holds the conversation. */
export function acceptAgent(
  server: Server,
  request: Request,
  host: KnownHost,
  address?: string,
): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: OFFLINE_AFTER_SECONDS,
  });
  new Conversation(server, host, socket, address);
  return response;
}
