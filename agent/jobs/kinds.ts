// Each kind of job as an agent runs it; see shared/job_kinds/all.ts.
import type { JobKind } from "../../shared/job_kinds/all.ts";
import { backup } from "../restic/backup.ts";
import { check } from "../restic/check.ts";
import { forget } from "../restic/forget.ts";
import { init } from "../restic/init.ts";
import { prune } from "../restic/prune.ts";
import { restore } from "../restic/restore.ts";
import { stats } from "../restic/stats.ts";
import { unlock } from "../restic/unlock_job.ts";
import { hook } from "./hook.ts";
import type { AgentKind } from "./kind.ts";

export const AGENT_KINDS: { [K in JobKind]: AgentKind<K> } = {
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

export function agentKind(kind: JobKind): AgentKind {
  return AGENT_KINDS[kind] as AgentKind;
}
