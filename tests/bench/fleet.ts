// A thousand connected agents, twenty of them in the middle of a talkative backup: what the server needs for them and how
// fast its dashboard stays. Beside it a bare server with the same clients, and a bare page of like size from it.
import type { SimulatedHost } from "./insert_hosts.ts";
import { ManyHosts } from "./many_hosts.ts";
import { memoryOf, processorOf, quiet, Side, sleep } from "./sides.ts";
import { percentile, type Row } from "./table.ts";

const HOSTS = 1000;
const TALKING = 20;
const LINES_PER_SECOND = 20;
/** More than one heartbeat of each. */
const STEADY_SECONDS = 35;
const PAGES = 200;

interface Taken {
  memory: number;
  processor: number;
  pages: number[];
}

export async function benchFleet(): Promise<Row[]> {
  await using fleet = await ManyHosts.prepare(HOSTS, TALKING);
  await quiet();
  await fleet.start();
  const ours = await take(fleet.hosts, fleet.url, fleet.server!.pid, () => fleet.page());
  await fleet.server!.end("SIGKILL");
  await quiet();
  await using bare = Side.start("bare_server.tsx", 50);
  const url = `http://127.0.0.1:${(await bare.next()).port}`;
  const limit = await take(fleet.hosts, url, bare.pid, () => barePage(url));
  const [p99, bareP99] = [percentile(ours.pages, 0.99), percentile(limit.pages, 0.99)];
  const [p50, bareP50] = [percentile(ours.pages, 0.5), percentile(limit.pages, 0.5)];
  const measure = "1,000 connected agents, 20 of them with 20 lines a second";
  return [{
    measure: `${measure}: memory of the server`,
    limit: "bare WebSocket server",
    goal: "≤ 1.5",
    ratio: ours.memory / limit.memory,
    detail: `${ours.memory.toFixed(0)} against ${limit.memory.toFixed(0)} MiB`,
  }, {
    measure: `${measure}: CPU of the server`,
    limit: "bare WebSocket server",
    goal: "–",
    ratio: ours.processor / limit.processor,
    detail: `${percent(ours)} against ${percent(limit)} of a core`,
  }, {
    measure: `${measure}: p99 of the dashboard meanwhile`,
    limit: "bare JSX page of like size",
    goal: "≤ 50 ms",
    ratio: p99,
    unit: "ms",
    detail: `bare page ${bareP99.toFixed(1)} ms; p50 ${p50.toFixed(1)} against ${
      bareP50.toFixed(1)
    } ms`,
  }];
}

/** Connects them all, lets them settle, measures the steady state and then the page. */
async function take(
  hosts: SimulatedHost[],
  url: string,
  pid: number,
  page: () => Promise<number>,
): Promise<Taken> {
  await using agents = await connectAll(hosts, url);
  while (agents.latest?.accepted < HOSTS) await agents.next();
  await sleep(3);
  const before = processorOf(pid);
  await sleep(STEADY_SECONDS);
  const processor = (processorOf(pid) - before) / STEADY_SECONDS;
  const memory = memoryOf(pid);
  const pages: number[] = [];
  for (let n = 0; n < PAGES; n++) {
    pages.push(await page());
    await sleep(0.05);
  }
  return { memory, processor, pages };
}

/** Starts the simulated agents; what they say is how many of them are accepted. */
export async function connectAll(hosts: SimulatedHost[], url: string): Promise<Side> {
  const file = await Deno.makeTempFile({ prefix: "rm-bench-", suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(hosts));
  const agents = Side.start("agents.ts", url, file, LINES_PER_SECOND);
  await agents.next();
  await Deno.remove(file);
  return agents;
}

async function barePage(url: string): Promise<number> {
  const began = performance.now();
  await (await fetch(url)).arrayBuffer();
  return performance.now() - began;
}

function percent({ processor }: Taken): string {
  return `${(processor * 100).toFixed(1)} %`;
}
