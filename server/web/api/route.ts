// What a route of the JSON API says of itself.
import type { z } from "zod";
import type { Ctx, RouteRole } from "../context.ts";
import type { Server } from "../../server.ts";

export interface ApiRoute {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  role?: RouteRole;
  summary: string;
  body?: z.ZodType;
  query?: string[];
  answers?: number;
  /** JSON Schema of what is answered, as far as it is described. */
  response?: object;
  /** See Route of web/context.ts. */
  whenFull?: true;
  handler: (server: Server, c: Ctx) => Response | Promise<Response>;
}
