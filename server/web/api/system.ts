import { readSomething } from "../../users/find.ts";
import { VERSION } from "../../../shared/version.ts";
import { PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import type { ApiRoute } from "./route.ts";

/** Everybody may ask, and each probe writes. */
const READY_FOR_MS = 1000;

export const systemRoutes: ApiRoute[] = [
  {
    method: "GET",
    path: "/healthz",
    role: "public",
    summary: "200 while the server lives and reads its database; says when nothing can be saved",
    handler: async (server, c) => {
      await readSomething(server);
      const { problem } = server.storage;
      return c.text(problem ? `alive, but nothing can be saved: ${problem.reason}\n` : "ok\n");
    },
  },
  {
    method: "GET",
    path: "/readyz",
    role: "public",
    summary:
      "200 while the database is up to date and can be written, otherwise 503 with the reason",
    handler: async (server, c) => {
      if (await server.storage.isWritable(READY_FOR_MS)) return c.text("ready\n");
      c.header("Retry-After", "5");
      return c.text(
        `not ready: ${server.storage.problem?.reason ?? "nothing can be saved"}\n`,
        503,
      );
    },
  },
  {
    method: "GET",
    path: "/api/version",
    role: "public",
    summary: "The server's version and the protocol that it speaks with agents",
    handler: (_, c) => c.json({ version: VERSION, protocol_version: PROTOCOL_VERSION }),
  },
];
