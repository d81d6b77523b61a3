import { VERSION } from "../../../shared/version.ts";
import { PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import type { ApiRoute } from "./routes.ts";

export const systemRoutes: ApiRoute[] = [
  {
    method: "GET",
    path: "/healthz",
    role: "public",
    summary: "Answers ok while the server and its database work",
    handler: async (server, c) => {
      await server.db.selectFrom("users").select("id").limit(1).execute();
      return c.text("ok\n");
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
