// Each kind of job as the server knows it; see shared/job_kinds/all.ts.
import type { ServerKinds } from "../jobs/kind.ts";
import { backup } from "./backup.ts";
import { check } from "./check.ts";
import { forget } from "./forget.ts";
import { hook } from "./hook.ts";
import { init } from "./init.ts";
import { prune } from "./prune.ts";
import { restore } from "./restore.ts";
import { stats } from "./stats.ts";
import { unlock } from "./unlock.ts";

export const SERVER_KINDS: ServerKinds = {
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
