// What a job adds to a run of restic: its order, its lines and control, and where its results go.
import type { Progress } from "../../shared/job.ts";
import type { JobKind } from "../../shared/job_kinds/all.ts";
import type { CommandRun, NewReport, OrderOf } from "../../shared/protocol.ts";
import type { Agent } from "../agent.ts";
import type { FileSystemMemory } from "../file_systems.ts";
import type { ResticContext } from "../restic/context.ts";
import type { JobControl } from "./control.ts";
import type { JobLines } from "./lines.ts";

export interface JobContext extends ResticContext {
  order: CommandRun;
  /** On which file systems the paths of source groups were. */
  fileSystems: Pick<FileSystemMemory, "of" | "remember">;
  /** What of the agent a restore needs besides. */
  machine: Pick<Agent, "settings" | "state" | "restores">;
  lines: Pick<JobLines, "add" | "flush">;
  control: JobControl;
  report: (report: NewReport) => void;
  progress: (progress: Progress) => void;
}

/** The same for a job of which the kind is known. */
export type JobContextOf<K extends JobKind> = JobContext & { order: OrderOf<K> };
