// What live streams show is made once for all readers who may see the same, however many there are: the key says what may be
// seen. What is about the fleet is made once a round (rounds.ts), what is about a job after each of its events.
import type { Event } from "../events.ts";
import type { Server } from "../server.ts";
import { roundsOf } from "./rounds.ts";

/** What depends on the time alone is made again after this. */
const LONGEST_MS = 1000;
const KEPT = 2000;

interface Made {
  at: number;
  value: Promise<unknown>;
}

class Shared {
  /** Of hosts and the fleet, and of each job. */
  readonly #made = new Map<string, Map<string, Made>>();
  #round = 0;

  constructor(private readonly server: Server) {
    server.events.beforeEach((event) => this.#forget(event));
  }

  onceARound<T>(key: string, make: () => Promise<T>): Promise<T> {
    const { number } = roundsOf(this.server);
    if (number !== this.#round) this.#made.delete("fleet");
    this.#round = number;
    return this.once("fleet", key, make);
  }

  async once<T>(about: string, key: string, make: () => Promise<T>): Promise<T> {
    const keys = this.#made.get(about) ?? new Map<string, Made>();
    if (!this.#made.has(about)) this.#keep(this.#made, about, keys);
    const now = performance.now();
    let made = keys.get(key);
    if (!made || now - made.at > LONGEST_MS) {
      made = { at: now, value: make() };
      this.#keep(keys, key, made);
      // What could not be made is tried again by the next reader.
      made.value.catch(() => keys.delete(key));
    }
    return await (made.value as Promise<T>);
  }

  #keep<T>(map: Map<string, T>, key: string, value: T): void {
    if (map.size >= KEPT) map.clear();
    map.set(key, value);
  }

  #forget(event: Event): void {
    if (event.type === "notice") return this.#made.clear();
    if ("jobId" in event) this.#made.delete(`job:${event.jobId}`);
  }
}

const shared = new WeakMap<Server, Shared>();

function of(server: Server): Shared {
  let found = shared.get(server);
  if (!found) shared.set(server, found = new Shared(server));
  return found;
}

/** What is about hosts and the fleet. Two readers with the same key must be allowed to see the same. */
export function onceForAll<T>(server: Server, key: string, make: () => Promise<T>): Promise<T> {
  return of(server).onceARound(key, make);
}

/** What is about one job, its progress too. */
export function oncePerJob<T>(
  server: Server,
  { jobId, key }: { jobId: string; key: string },
  make: () => Promise<T>,
): Promise<T> {
  return of(server).once(`job:${jobId}`, key, make);
}

/** What no event tells of: as of a second ago at most. */
export function onceASecond<T>(server: Server, key: string, make: () => Promise<T>): Promise<T> {
  return of(server).once("time", key, make);
}
