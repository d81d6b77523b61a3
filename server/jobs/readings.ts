// What reads a repository while nothing in it may go, and is no job: a download. It passes through this process, so it is in its memory and
// ends with it: no server that was killed leaves one behind.

export interface Reading {
  /** What it is and whose, as the end of a sentence: "a download by alice". */
  what: string;
  keys: string[];
}

export class Readings {
  readonly #all = new Set<Reading>();

  /** Call what is returned when it has ended. */
  add(reading: Reading): () => void {
    this.#all.add(reading);
    return () => this.#all.delete(reading);
  }

  /** One that reads in a repository with any of these keys (lease_keys.ts). */
  at(keys: string[]): Reading | undefined {
    return [...this.#all].find((reading) => reading.keys.some((key) => keys.includes(key)));
  }
}
