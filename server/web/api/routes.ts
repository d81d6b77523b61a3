// The JSON API: one row per method and path, with who may call it and what it takes. openapi.json is made of this.
import { auditRoutes } from "./audit.ts";
import { authRoutes } from "./auth.ts";
import { downloadRoutes } from "./downloads.ts";
import { enrolmentRoutes } from "./enrolment.ts";
import { findRoutes } from "./find.ts";
import { hostRoutes } from "./hosts.ts";
import { jobRoutes } from "./jobs.ts";
import { maintenanceRoutes } from "./maintenance.ts";
import { openApiRoute } from "./openapi.ts";
import { pendingHostRoutes } from "./pending_hosts.ts";
import { repositoryRoutes } from "./repositories.ts";
import { scheduleRoutes } from "./schedules.ts";
import { snapshotRoutes } from "./snapshots.ts";
import { snapshotFileRoutes } from "./snapshot_files.ts";
import { sourceGroupRoutes } from "./source_groups.ts";
import { systemRoutes } from "./system.ts";
import { userRoutes } from "./users.ts";
import type { ApiRoute } from "./route.ts";

const DESCRIBED: ApiRoute[] = [
  ...systemRoutes,
  ...downloadRoutes,
  ...authRoutes,
  ...userRoutes,
  ...hostRoutes,
  ...enrolmentRoutes,
  ...pendingHostRoutes,
  ...sourceGroupRoutes,
  ...scheduleRoutes,
  ...snapshotRoutes,
  ...snapshotFileRoutes,
  ...findRoutes,
  ...repositoryRoutes,
  ...maintenanceRoutes,
  ...jobRoutes,
  ...auditRoutes,
];

export const API_ROUTES: ApiRoute[] = [...DESCRIBED, openApiRoute(DESCRIBED)];
