// Invented data for the gallery and the page tests: none, a little, a lot, and what an enemy would send.
import { entryPages } from "./invented/entry.tsx";
import { dashboardPages } from "./invented/dashboard.tsx";
import { pendingPages } from "./invented/pending.tsx";
import { addHostPages } from "./invented/add_host.tsx";
import { hostPages } from "./invented/host.tsx";
import { hostRepositoryPages } from "./invented/host_repository.tsx";
import { snapshotsPages } from "./invented/snapshots.tsx";
import { snapshotPages } from "./invented/snapshot.tsx";
import { findPages } from "./invented/find.tsx";
import { sourcesPages } from "./invented/sources.tsx";
import { schedulesPages } from "./invented/schedules.tsx";
import { repositoriesPages } from "./invented/repositories.tsx";
import { restorePages } from "./invented/restore.tsx";
import { jobPages } from "./invented/job.tsx";
import { jobsPages } from "./invented/jobs.tsx";
import { auditPages } from "./invented/audit.tsx";
import { accountPages } from "./invented/account.tsx";
import { errorsPages } from "./invented/errors.tsx";
import type { Pages } from "./invented/common.ts";

export { HOSTILE, NOW } from "./invented/common.ts";
export { hostView } from "./invented/host.tsx";
export { maintenance } from "./invented/maintenance.ts";

/** Every page, by a name that says what is in it. */
export const pages: Pages = {
  ...entryPages,
  ...dashboardPages,
  ...pendingPages,
  ...addHostPages,
  ...hostPages,
  ...hostRepositoryPages,
  ...snapshotsPages,
  ...snapshotPages,
  ...findPages,
  ...restorePages,
  ...sourcesPages,
  ...schedulesPages,
  ...repositoriesPages,
  ...jobPages,
  ...jobsPages,
  ...auditPages,
  ...accountPages,
  ...errorsPages,
};

export function render(name: string): string {
  return `<!doctype html>${pages[name]!()}`;
}
