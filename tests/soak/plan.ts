// What goes wrong and what people do in a soak, and when: all of it follows from the seed, nothing from what happens meanwhile.

export const FAULTS = {
  "agent killed": 5,
  "agent ended": 3,
  "agent frozen": 4,
  "server killed": 4,
  "server ended": 2,
  "server frozen": 2,
  "restic killed": 4,
  "connection cut": 4,
  "all connections cut": 1,
  "connection held": 3,
  "all connections held one way": 1,
  "agent's disk full": 2,
  "server's disk full": 1,
  "agent's clock set": 4,
  "server's clock set": 3,
} as const;
export type FaultName = keyof typeof FAULTS;

export const ACTS = {
  "run now": 6,
  "cancel": 4,
  "check": 2,
  "prune": 2,
  "forget": 2,
  "edit of a group": 2,
  "look at pages": 1,
} as const;
export type ActName = keyof typeof ACTS;

export interface Step<Name> {
  /** Milliseconds after the begin. */
  at: number;
  name: Name;
  /** From 0 to below 1 each: whom it meets, how long it lasts, which of several ways. */
  target: number;
  length: number;
  choice: number;
}

export interface Plan {
  faults: Step<FaultName>[];
  acts: Step<ActName>[];
}

export interface Pace {
  forMs: number;
  faultEveryMs: number;
  actEveryMs: number;
}

/** The same seed and pace make the same plan. */
export function planOf(seed: number, { forMs, faultEveryMs, actEveryMs }: Pace): Plan {
  return {
    faults: steps(new Random(seed), FAULTS, forMs, faultEveryMs),
    acts: steps(new Random(seed + 1_000_003), ACTS, forMs, actEveryMs),
  };
}

function steps<Name extends string>(
  random: Random,
  weights: Record<Name, number>,
  forMs: number,
  everyMs: number,
): Step<Name>[] {
  const bag = (Object.entries(weights) as [Name, number][])
    .flatMap(([name, weight]) => Array<Name>(weight).fill(name));
  return Array.from({ length: Math.floor(forMs / everyMs) }, (_, n) => ({
    at: (n + 1) * everyMs,
    name: bag[Math.floor(random.next() * bag.length)]!,
    target: random.next(),
    length: random.next(),
    choice: random.next(),
  }));
}

/** Mulberry32: small, and the same everywhere. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}
