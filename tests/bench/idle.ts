// An agent that has nothing to do, connected to a real server: memory, processor time, and how long it takes to be
// connected. Beside it a program that only waits for a timer.
import { join } from "node:path";
import { FakeRestic } from "../support/fake_restic.ts";
import { eventually } from "../support/eventually.ts";
import { Fleet } from "../support/programs.ts";
import { memoryOf, processorOf, quiet, Side, sleep } from "./sides.ts";
import type { Row } from "./table.ts";

const IDLE_SECONDS = 30;

interface Idle {
  start: number;
  memory: number;
  processor: number;
}

export async function benchIdle(): Promise<Row[]> {
  const agent = await idleAgent();
  const empty = await emptyProgram();
  const row = (what: string, ratio: number, goal: string, detail: string): Row => ({
    measure: `idle agent: ${what}`,
    limit: "empty Deno program",
    goal,
    ratio,
    detail,
  });
  const ms = (seconds: number) => `${(seconds * 1000).toFixed(0)} ms`;
  return [
    row(
      "memory",
      agent.memory / empty.memory,
      "≤ 1.2",
      `${agent.memory.toFixed(0)} against ${empty.memory.toFixed(0)} MiB`,
    ),
    row(
      "time to connected",
      agent.start / empty.start,
      "≤ 1.2",
      `${ms(agent.start)} against ${ms(empty.start)} to its first word`,
    ),
    {
      ...row("CPU", agent.processor / IDLE_SECONDS * 100, "–", `empty: ${ms(empty.processor)}`),
      unit: "% of a core",
    },
  ];
}

async function idleAgent(): Promise<Idle> {
  await using fleet = await Fleet.start();
  const restic = new FakeRestic(fleet.folder);
  const repository = { name: "bench", url: "/srv/bench", password: "a password", is_new: true };
  const host = await fleet.join("alpha", repository, ["/a"], { RM_RESTIC: restic.path });
  await fleet.repositoryReady(host);
  await fleet.agent("alpha").end();
  await quiet();
  const began = performance.now();
  const agent = fleet.startAgent("alpha", { RM_RESTIC: join(fleet.folder, "fake-restic") });
  await eventually("it is connected", () => agent.printed().includes("Connected to"));
  return await idle(agent.pid, began);
}

async function emptyProgram(): Promise<Idle> {
  await quiet();
  const began = performance.now();
  await using side = Side.start("empty.ts");
  await side.next();
  return await idle(side.pid, began);
}

async function idle(pid: number, began: number): Promise<Idle> {
  const start = (performance.now() - began) / 1000;
  await sleep(5);
  const before = processorOf(pid);
  await sleep(IDLE_SECONDS);
  return { start, processor: processorOf(pid) - before, memory: memoryOf(pid) };
}
