// restic for a stream that reads a snapshot with the credential that this host has of its repository: how it is prepared and ended, and why it
// failed, as the code of a stream.
import { type BandwidthLimits } from "../../shared/bandwidth.ts";
import { messageOf } from "../../shared/log.ts";
import { newId } from "../../shared/new_id.ts";
import { readSnapshotPath, textOf } from "../../shared/snapshot_path.ts";
import type { Agent } from "../agent.ts";
import { accessRefusal } from "../brake/refuse.ts";
import { JobControl } from "../jobs/control.ts";
import { markOf } from "../jobs/process_mark.ts";
import { redactorFor } from "../jobs/redact.ts";
import type { RunContext } from "../restic/context.ts";
import { prepareRestic } from "../restic/prepare.ts";
import { NO_CONTACT } from "../restic/refusals.ts";
import type { Run } from "../restic/run.ts";
import { StreamProblem } from "./running.ts";

/** What reading a snapshot needs of the agent. */
export type ReadingAgent = Pick<
  Agent,
  "brake" | "environment" | "settings" | "state" | "timeouts" | "plan" | "restic" | "log"
>;

/** restic that nobody reads ends at once; one that waits for its repository is not waited for. */
const GRACE_MS = 2000;

/** Ends what runs for it at the signal, and when it is disposed of. */
export class Reading implements Disposable {
  readonly control = new JobControl({ onStart: () => {}, onProcess: () => {}, onLock: () => {} });
  readonly #stop = () => this.control.stop("cancelled", GRACE_MS);

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener("abort", this.#stop, { once: true });
    if (signal.aborted) this.#stop();
  }

  /**
   * The repository is the one of this host and never another: nothing of the request says how it is reached. Throws StreamProblem: no
   * credential, or not allowed here.
   */
  async prepare(
    agent: ReadingAgent,
    repositoryId: string,
    limits: BandwidthLimits,
  ): Promise<RunContext> {
    const { config } = agent.plan;
    const access = config?.repository;
    if (access?.id !== repositoryId) {
      throw new StreamProblem("no_credential", "this host has no credential for that repository");
    }
    const refusal = accessRefusal(agent, access);
    if (refusal) throw new StreamProblem("refused_by_machine", refusal);
    const context = prepareRestic(agent, {
      program: await agent.restic.find(),
      repository: access,
      snapshotHost: config?.snapshot_host,
      limits,
      mark: markOf(agent.settings.stateDir, newId(), "restic"),
    });
    if ("status" in context) throw new StreamProblem("failed", context.reason ?? "refused");
    const redact = redactorFor([access], config?.snapshot_host);
    const lines = {
      add: (_: string, text: string) => agent.log.debug(`Snapshot: ${redact(text)}`),
    };
    return { ...context, lines, control: this.control };
  }

  [Symbol.dispose](): void {
    this.signal.removeEventListener("abort", this.#stop);
    this.#stop();
  }
}

/** Throws StreamProblem for what is no path in a snapshot, or none that can be asked for here. */
export function namesOf(path: string): Uint8Array[] {
  let names;
  try {
    names = readSnapshotPath(path);
  } catch (error) {
    throw new StreamProblem("not_absolute", `path ${messageOf(error)}`);
  }
  if (Deno.build.os === "windows" && names.some((name) => textOf(name) === undefined)) {
    throw new StreamProblem("unsupported", "Windows passes no names that are not text to restic");
  }
  return names;
}

export function noSnapshot(): StreamProblem {
  return new StreamProblem("no_snapshot", "the repository has no such snapshot");
}

/** Throws why restic did not do it, as the code of a stream. */
export function refuseFailure({ failure, errors }: Pick<Run, "failure" | "errors">): void {
  if (!failure) return;
  if (/no matching ID found/.test(errors.text)) throw noSnapshot();
  if (/^(Fatal: )?path [^]*: not found$/m.test(errors.text)) {
    throw new StreamProblem("not_found", "there is no such folder in the snapshot");
  }
  if (/: not a directory$/m.test(errors.text)) {
    throw new StreamProblem("not_a_folder", "it is no folder");
  }
  const reason = failure.reason ?? "restic did not do it";
  throw new StreamProblem(
    NO_CONTACT.has(failure.reason_code ?? "") ? "unreachable" : "failed",
    reason,
  );
}
