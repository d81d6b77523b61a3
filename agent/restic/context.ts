// What any run of restic on this host needs, whether it belongs to a job or to a stream.
import type { BandwidthLimits } from "../../shared/bandwidth.ts";
import type { RepositoryUrl } from "../../shared/repository_url.ts";
import type { JobControl } from "../jobs/control.ts";
import type { JobLines } from "../jobs/lines.ts";
import type { ResticProgram } from "./version.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

/** How long the agent waits for what; tests shorten it. */
export interface Timeouts {
  /** Until restic must have reached the repository. */
  contactMs: number;
  /** For a command that only looks: the whole run. */
  lookMs: number;
  /** From interrupt to kill, on top of what the upload limit needs. */
  graceMs: number;
  /** How long a locked repository is waited for, and how often it is tried. */
  lockWaitMs: number;
  lockRetryMs: number;
}

export const TIMEOUTS: Timeouts = {
  contactMs: 60_000,
  lookMs: 120_000,
  graceMs: 10_000,
  lockWaitMs: 15 * 60_000,
  lockRetryMs: 30_000,
};

/** The program, the repository and how it is reached. */
export interface ResticContext {
  restic: ResticProgram;
  repository: RepositoryAccess;
  url: RepositoryUrl;
  /** The name under which this host's snapshots stand. */
  snapshotHost: string;
  /** In force since the job or stream began. */
  limits: BandwidthLimits;
  environment: Record<string, string>;
  cacheDir: string;
  /** Why restic runs without it, once that was seen. */
  withoutCache?: string;
  /** Arguments of every command: certificate authority and extended options. */
  globals: string[];
  timeouts: Timeouts;
}

/** Where the words of a run go, and what may stop it: those of a job, or a stream's own. */
export interface Supervision {
  lines: Pick<JobLines, "add">;
  control: Pick<JobControl, "stopped" | "beforeStart" | "noteLock" | "attach">;
}

/** Enough to run restic; a job adds what is in jobs/context.ts. */
export type RunContext = ResticContext & Supervision;
