// A fleet, and everything that may happen to it, for as long as it is told.
import { doAct } from "./acts.ts";
import { doFault } from "./faults.ts";
import { counts, judge, settle } from "./judge.ts";
import { type Pace, planOf } from "./plan.ts";
import { World } from "./world.ts";

export interface SoakOptions {
  seed: number;
  seconds: number;
  agents?: number;
  faultEveryMs?: number;
  actEveryMs?: number;
  print?: (text: string) => void;
}

export interface SoakResult {
  /** Empty: all oracles hold. */
  faults: string[];
  counts: string[];
  events: string[];
}

const SHOWN_EVENTS = 50;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { seed, seconds, agents = 20, print = () => {} } = options;
  const pace: Pace = {
    forMs: seconds * 1000,
    faultEveryMs: options.faultEveryMs ?? 5000,
    actEveryMs: options.actEveryMs ?? 3000,
  };
  await using world = await World.make({ agents, print });
  world.note(`${agents} agents are ready; seed ${seed}, ${seconds} s`);
  await play(world, seed, pace);
  const faults = await settle(world);
  faults.push(...await judge(world));
  return { faults, counts: counts(world), events: world.events.slice(-SHOWN_EVENTS) };
}

async function play(world: World, seed: number, pace: Pace): Promise<void> {
  const { faults, acts } = planOf(seed, pace);
  const began = performance.now();
  const until = (at: number) =>
    new Promise((resolve) => setTimeout(resolve, Math.max(0, began + at - performance.now())));
  const sampling = setInterval(() => world.sampleMemory(), 5000);
  try {
    const running: Promise<void>[] = [];
    for (const step of [...faults, ...acts].sort((a, b) => a.at - b.at)) {
      await until(step.at);
      if (isFault(step, faults)) running.push(doFault(world, step));
      else running.push(doAct(world, step as never));
    }
    await Promise.all(running);
  } finally {
    clearInterval(sampling);
  }
}

function isFault<Step>(step: unknown, faults: Step[]): step is Step {
  return faults.includes(step as Step);
}
