// How a kind of job runs on this host; see shared/job_kinds.
import type { JobKind } from "../../shared/job_kinds/all.ts";
import type { OrderOf } from "../../shared/protocol.ts";
import type { Agent } from "../agent.ts";
import type { Outcome } from "../restic/outcome.ts";
import type { JobContextOf } from "./context.ts";
import type { HookJob } from "./hooks.ts";

/** What a job that touches no repository is given. */
export type Alone = Omit<HookJob, "hooks" | "groupName">;

export interface AgentKind<K extends JobKind = JobKind> {
  /** Runs it in its repository, which has been looked up and may be reached. */
  run?(job: JobContextOf<K>): Promise<Outcome>;
  /** Runs it without a repository. */
  runAlone?(agent: Agent, order: OrderOf<K>, job: Alone): Promise<Outcome>;
}
