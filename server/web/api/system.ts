import { readSomething } from "../../users/find.ts";
import { VERSION } from "../../../shared/version.ts";
import { PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { ServerVersion } from "../../../shared/shapes/version.ts";

/** Everybody may ask, and each probe writes. */
const READY_FOR_MS = 1000;

export const systemRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/healthz",
    role: "public",
    summary: "200 while the server lives and reads its database; says when nothing can be saved",
    response: { 200: { type: "text/plain", description: "ok, or what cannot be saved" } },
    handler: async (server, c) => {
      await readSomething(server);
      const { problem } = server.storage;
      return c.text(problem ? `alive, but nothing can be saved: ${problem.reason}\n` : "ok\n");
    },
  }),
  apiRoute({
    method: "GET",
    path: "/readyz",
    role: "public",
    summary:
      "200 while the database is up to date and can be written, otherwise 503 with the reason",
    response: {
      200: { type: "text/plain", description: "ready" },
      503: { type: "text/plain", description: "not ready, and why" },
    },
    handler: async (server, c) => {
      if (await server.storage.isWritable(READY_FOR_MS)) return c.text("ready\n");
      c.header("Retry-After", "5");
      return c.text(
        `not ready: ${server.storage.problem?.reason ?? "nothing can be saved"}\n`,
        503,
      );
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/version",
    role: "public",
    summary: "The server's version and the protocol that it speaks with agents",
    response: { 200: ServerVersion },
    handler: () => ({ version: VERSION, protocol_version: PROTOCOL_VERSION }),
  }),
];
