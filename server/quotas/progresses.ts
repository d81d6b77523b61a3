import type { Progress } from "../../shared/job.ts";

/** More jobs than a machine runs at once. */
const PER_HOST = 20;

/** The latest progress of each running job, of a few jobs a host: an agent can say that any number of jobs run. */
export class Progresses {
  readonly #hosts = new Map<string, Map<string, Progress>>();
  readonly #hostOf = new Map<string, string>();

  set(hostId: string, jobId: string, progress: Progress): void {
    const own = this.#hosts.get(hostId) ?? new Map<string, Progress>();
    this.#hosts.set(hostId, own);
    own.delete(jobId);
    own.set(jobId, progress);
    this.#hostOf.set(jobId, hostId);
    if (own.size > PER_HOST) this.delete(own.keys().next().value!);
  }

  get(jobId: string): Progress | undefined {
    return this.#hosts.get(this.#hostOf.get(jobId) ?? "")?.get(jobId);
  }

  delete(jobId: string): void {
    const hostId = this.#hostOf.get(jobId);
    if (hostId === undefined) return;
    this.#hostOf.delete(jobId);
    const own = this.#hosts.get(hostId);
    own?.delete(jobId);
    if (own?.size === 0) this.#hosts.delete(hostId);
  }

  forget(hostId: string): void {
    for (const jobId of [...this.#hosts.get(hostId)?.keys() ?? []]) this.delete(jobId);
  }
}
