// The pages and forms that people use: one row per method and path, with the role that it needs.
import type { Route } from "../context.ts";
import { liveDashboardRoutes } from "./live_dashboard.ts";
import { liveHostRoutes } from "./live_host.ts";
import { liveJobRoutes } from "./live_jobs.ts";
import { liveJoiningRoutes } from "./live_joining.ts";
import { accountRoutes } from "./account.ts";
import { addHostRoutes } from "./add_host.ts";
import { assetRoutes } from "./assets.ts";
import { auditPageRoutes } from "./audit.ts";
import { dashboardRoutes } from "./dashboard.ts";
import { entryRoutes } from "./entry.ts";
import { hostPageRoutes } from "./hosts.ts";
import { jobPageRoutes } from "./jobs.ts";
import { pendingHostPageRoutes } from "./pending_hosts.ts";
import { repositoryPageRoutes } from "./repositories.ts";
import { runPageRoutes } from "./runs.ts";
import { schedulePageRoutes } from "./schedules.ts";
import { repositorySnapshotRoutes } from "./repository_snapshots.ts";
import { diffPageRoutes } from "./diff.ts";
import { findPageRoutes } from "./find.ts";
import { snapshotPageRoutes } from "./snapshot.ts";
import { downloadPageRoutes } from "./download.ts";
import { previewPageRoutes } from "./preview.ts";
import { byHandPageRoutes } from "./by_hand.ts";
import { restorePageRoutes } from "./restores.ts";
import { sourcePageRoutes } from "./sources.ts";
import { ungovernedPageRoutes } from "./ungoverned.ts";
import { maintenancePageRoutes } from "./maintenance.ts";

// A fixed path stands before one with a parameter in its place: the first row that fits answers.
export const PAGE_ROUTES: Route[] = [
  ...assetRoutes,
  ...entryRoutes,
  ...dashboardRoutes,
  ...addHostRoutes,
  ...pendingHostPageRoutes,
  ...hostPageRoutes,
  ...runPageRoutes,
  ...snapshotPageRoutes,
  ...diffPageRoutes,
  ...findPageRoutes,
  ...downloadPageRoutes,
  ...previewPageRoutes,
  ...repositorySnapshotRoutes,
  ...byHandPageRoutes,
  ...restorePageRoutes,
  ...sourcePageRoutes,
  ...schedulePageRoutes,
  ...repositoryPageRoutes,
  ...maintenancePageRoutes,
  ...ungovernedPageRoutes,
  ...jobPageRoutes,
  ...auditPageRoutes,
  ...accountRoutes,
  ...liveDashboardRoutes,
  ...liveHostRoutes,
  ...liveJobRoutes,
  ...liveJoiningRoutes,
];
