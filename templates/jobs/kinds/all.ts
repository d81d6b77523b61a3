// Each kind of job as pages show it; see shared/job_kinds/all.ts.
import type { JobKind } from "../../../shared/job_kinds/all.ts";
import { backup } from "./backup.tsx";
import { check } from "./check.ts";
import { forget } from "./forget.tsx";
import { hook } from "./hook.ts";
import { init } from "./init.ts";
import type { PageKind } from "./kind.ts";
import { prune } from "./prune.ts";
import { restore } from "./restore.tsx";
import { stats } from "./stats.ts";
import { unlock } from "./unlock.ts";

export const PAGE_KINDS: Record<JobKind, PageKind> = {
  backup,
  init,
  unlock,
  stats,
  forget,
  prune,
  check,
  hook,
  restore,
};
