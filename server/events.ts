// Publish and subscribe towards browsers. Events are hints that point at what is stored: a subscriber that is slow
// loses events, never makes anybody wait, and reads the tables when it is ready again.
import type { JobStatus } from "../shared/job.ts";
import type { StoredLine } from "../shared/shapes/job.ts";

export type Event =
  | { type: "lines"; jobId: string; lines: StoredLine[] }
  | { type: "progress"; jobId: string; hostId: string }
  | { type: "job"; jobId: string; hostId: string; status: JobStatus }
  | { type: "host"; hostId: string }
  | { type: "enrolled"; hostId: string; tokenId: string }
  | { type: "pending" }
  /** What someone waits for of a snapshot's tree has come, or cannot be had. */
  | { type: "tree"; key: string }
  /** A search has found more, or has ended. */
  | { type: "search"; id: string }
  /** What everybody must know of the server itself has changed. */
  | { type: "notice" };

export type Listener = (event: Event) => void;

export class Events {
  /** "job:<id>" learns of one job, "host:<id>" of one host, "fleet" of all hosts, "pending" of those that wait
   *  for approval; lines go to their job alone. */
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #first: Listener[] = [];

  constructor(private readonly onFault: (error: unknown) => void) {}

  subscribe(topic: string, listener: Listener): () => void {
    const set = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#listeners.get(topic) === set) this.#listeners.delete(topic);
    };
  }

  /** For what must be forgotten before anybody learns of the event. */
  beforeEach(listener: Listener): void {
    this.#first.push(listener);
  }

  /**
   * Call after the commit: whoever learns of an event may read it. Listeners must not block; what one throws is logged,
   * since it is no fault of the others nor of whoever publishes, which may be an agent's report.
   */
  publish(event: Event): void {
    for (const listener of this.#first) listener(event);
    for (const topic of topicsOf(event)) {
      for (const listener of this.#listeners.get(topic) ?? []) {
        try {
          listener(event);
        } catch (error) {
          this.onFault(error);
        }
      }
    }
  }
}

export function topicsOf(event: Event): string[] {
  switch (event.type) {
    case "lines":
      return [`job:${event.jobId}`];
    case "progress":
    case "job":
      return [`job:${event.jobId}`, `host:${event.hostId}`, "fleet"];
    case "host":
      return [`host:${event.hostId}`, "fleet"];
    case "enrolled":
      return [`enrolment:${event.tokenId}`, "fleet"];
    case "notice":
      return ["fleet", "notice"];
    case "pending":
      return ["pending"];
    case "search":
      return [`search:${event.id}`];
    case "tree":
      return [`tree:${event.key}`];
  }
}
