// The JSON API: one row per method and path, with who may call it and what it takes. openapi.json is made of this.
import type { z } from "zod";
import type { Ctx, RouteRole } from "../context.ts";
import type { Server } from "../../server.ts";
import { auditRoutes } from "./audit.ts";
import { authRoutes } from "./auth.ts";
import { downloadRoutes } from "./downloads.ts";
import { enrolmentRoutes } from "./enrolment.ts";
import { hostRoutes } from "./hosts.ts";
import { jobRoutes } from "./jobs.ts";
import { maintenanceRoutes } from "./maintenance.ts";
import { pendingHostRoutes } from "./pending_hosts.ts";
import { repositoryRoutes } from "./repositories.ts";
import { scheduleRoutes } from "./schedules.ts";
import { sourceGroupRoutes } from "./source_groups.ts";
import { systemRoutes } from "./system.ts";
import { userRoutes } from "./users.ts";

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

export const API_ROUTES: ApiRoute[] = [
  ...systemRoutes,
  ...downloadRoutes,
  ...authRoutes,
  ...userRoutes,
  ...hostRoutes,
  ...enrolmentRoutes,
  ...pendingHostRoutes,
  ...sourceGroupRoutes,
  ...scheduleRoutes,
  ...repositoryRoutes,
  ...maintenanceRoutes,
  ...jobRoutes,
  ...auditRoutes,
];
