// The server is killed and started again: how long until a thousand agents are back, each by its own back-off, and how
// slow the slowest page is meanwhile.
import { connectAll } from "./fleet.ts";
import { ManyHosts } from "./many_hosts.ts";
import { quiet, sleep } from "./sides.ts";
import type { Row } from "./table.ts";

const HOSTS = 1000;
const TALKING = 20;

export async function benchReconnect(): Promise<Row[]> {
  await using fleet = await ManyHosts.prepare(HOSTS, TALKING);
  await fleet.start();
  await using agents = await connectAll(fleet.hosts, fleet.url);
  const allBack = async () => {
    while (agents.latest.accepted < HOSTS) await agents.next();
  };
  await allBack();
  await quiet();
  const killed = performance.now();
  await fleet.server!.end("SIGKILL");
  while (agents.latest.accepted > 0) await agents.next();
  await fleet.start();
  const answers = performance.now();
  let isOver = false;
  const watching = slowestPage(fleet, () => isOver);
  await allBack();
  const back = performance.now();
  isOver = true;
  const slowest = await watching;
  return [{
    measure: "1,000 agents reconnect after the server was killed: until all are back",
    limit: "–",
    goal: "≤ 20 s",
    ratio: (back - killed) / 1000,
    unit: "s",
    detail: `the server answered again after ${((answers - killed) / 1000).toFixed(1)} s`,
  }, {
    measure: "1,000 agents reconnect after the server was killed: slowest page meanwhile",
    limit: "–",
    goal: "≤ 300 ms",
    ratio: slowest.milliseconds,
    unit: "ms",
    detail: `of ${slowest.count} pages`,
  }];
}

async function slowestPage(fleet: ManyHosts, isOver: () => boolean) {
  let [milliseconds, count] = [0, 0];
  while (!isOver()) {
    milliseconds = Math.max(milliseconds, await fleet.page());
    count++;
    await sleep(0.02);
  }
  return { milliseconds, count };
}
