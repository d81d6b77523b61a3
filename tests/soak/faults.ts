// What goes wrong. Each says in words what it did, and how it is mended later; undefined: it could not be done here and now.
import { processesOf } from "../support/proc.ts";
import { fill } from "../support/small_disk.ts";
import type { FaultName, Step } from "./plan.ts";
import { keyOf, type SoakHost, type World } from "./world.ts";

type Fault = (
  world: World,
  step: Step<FaultName>,
) => Promise<string | undefined> | string | undefined;

const HOUR = 3_600_000;
/** Back by a little, hours, a day and more; forwards so far that it counts as wrong; forwards by a little. */
const CLOCKS = [-90_000, -2 * HOUR, -25 * HOUR, 26 * HOUR, 400 * 24 * HOUR, 40_000];

const FAULTS: Record<FaultName, Fault> = {
  "agent killed": (world, step) => endAgent(world, step, "SIGKILL"),
  "agent ended": (world, step) => endAgent(world, step, "SIGTERM"),
  "agent frozen": (world, step) => {
    const host = hostOf(world, step);
    if (host.isBusy) return undefined;
    host.isBusy = true;
    const { pid } = world.fleet.agent(host.name);
    Deno.kill(pid, "SIGSTOP");
    return mendedAfter(world, 2 + step.length * 23, host.name, () => {
      Deno.kill(pid, "SIGCONT");
      host.isBusy = false;
    });
  },
  "server killed": (world, step) => endServer(world, step, "SIGKILL"),
  "server ended": (world, step) => endServer(world, step, "SIGTERM"),
  "server frozen": (world, step) => {
    if (world.isServerBusy) return undefined;
    world.isServerBusy = true;
    const { pid } = world.fleet.server;
    Deno.kill(pid, "SIGSTOP");
    return mendedAfter(world, 2 + step.length * 13, "the server", () => {
      Deno.kill(pid, "SIGCONT");
      world.isServerBusy = false;
    });
  },
  "restic killed": async (world, step) => {
    const running = await someRestic(world);
    const one = running[Math.floor(step.target * running.length)];
    if (!one) return undefined;
    try {
      Deno.kill(one.pid, "SIGKILL");
    } catch {
      // It has ended in this moment.
      return undefined;
    }
    return `of ${one.host.name}, one of ${running.length}`;
  },
  "connection cut": (world, step) => {
    const { wire, name } = hostOf(world, step);
    wire.cut();
    return name;
  },
  "all connections cut": (world) => {
    for (const { wire } of world.hosts) wire.cut();
    return "";
  },
  "connection held": (world, step) => {
    const { wire, name } = hostOf(world, step);
    wire.hold();
    return mendedAfter(world, 3 + step.length * 100, name, () => wire.release());
  },
  "all connections held one way": (world, step) => {
    const way = step.choice < 0.5 ? "up" : "down";
    for (const { wire } of world.hosts) wire.hold(way);
    return mendedAfter(world, 3 + step.length * 40, way, () => {
      for (const { wire } of world.hosts) wire.release();
    });
  },
  "agent's disk full": async (world, step) => {
    const small = world.hosts.filter(({ disk }) => disk);
    const host = small[Math.floor(step.target * small.length)];
    if (!host) return undefined;
    return await fillFor(world, 3 + step.length * 20, host.name, host.disk!);
  },
  "server's disk full": async (world, step) => {
    const disk = world.serverDisk;
    if (!disk) return undefined;
    return await fillFor(world, 3 + step.length * 15, "", disk);
  },
  "agent's clock set": (world, step) => {
    const host = hostOf(world, step);
    return setClock(world, step, host.name, host.clockFile);
  },
  "server's clock set": (world, step) => setClock(world, step, "the server", world.serverClockFile),
};

/** Those that run now, or the next that do within four seconds. */
async function someRestic({ hosts }: World): Promise<{ pid: number; host: SoakHost }[]> {
  for (let tries = 0; tries < 20; tries++) {
    const found = hosts.flatMap((host) => processesOf(keyOf(host)).map((pid) => ({ pid, host })));
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return [];
}

/** Does it and notes it. */
export async function doFault(world: World, step: Step<FaultName>): Promise<void> {
  const what = await FAULTS[step.name](world, step);
  world.count(what === undefined ? `${step.name}, which could not be done` : step.name);
  world.note(`${step.name}: ${what ?? "not possible now"}`);
}

function hostOf(world: World, { target }: { target: number }): SoakHost {
  return world.hosts[Math.floor(target * world.hosts.length)]!;
}

function mendedAfter(
  world: World,
  seconds: number,
  whom: string,
  mend: () => Promise<void> | void,
): string {
  world.mendLater(seconds * 1000, mend);
  return `${whom} for ${seconds.toFixed(1)} s`;
}

async function fillFor(
  world: World,
  seconds: number,
  whom: string,
  folder: string,
): Promise<string> {
  await fill(folder);
  return mendedAfter(world, seconds, whom, () => Deno.remove(`${folder}/filler`).catch(() => {}));
}

async function endAgent(
  world: World,
  step: Step<FaultName>,
  signal: Deno.Signal,
): Promise<string | undefined> {
  const host = hostOf(world, step);
  if (host.isBusy) return undefined;
  host.isBusy = true;
  const agent = world.fleet.agent(host.name);
  world.tell(agent);
  const ending = agent.end(signal);
  if (signal === "SIGKILL") await ending;
  return mendedAfter(world, step.length * 8, host.name, async () => {
    const code = await ending;
    if (signal === "SIGTERM" && code !== 0) world.died.push(`${host.name} ended with ${code}`);
    world.startAgent(host);
    host.isBusy = false;
  });
}

async function endServer(
  world: World,
  step: Step<FaultName>,
  signal: Deno.Signal,
): Promise<string | undefined> {
  if (world.isServerBusy) return undefined;
  world.isServerBusy = true;
  const { server } = world.fleet;
  world.tell(server);
  const ending = server.end(signal);
  if (signal === "SIGKILL") await ending;
  return mendedAfter(world, step.length * 6, "", async () => {
    const code = await ending;
    if (signal === "SIGTERM" && code !== 0) world.died.push(`the server ended with ${code}`);
    await world.startServer();
    world.isServerBusy = false;
  });
}

function setClock(world: World, step: Step<FaultName>, whom: string, file: string): string {
  const ahead = CLOCKS[Math.floor(step.choice * CLOCKS.length)]!;
  Deno.writeTextFileSync(file, String(ahead));
  const by = `${whom} by ${ahead / 1000} s`;
  return mendedAfter(world, 5 + step.length * 40, by, () => Deno.writeTextFileSync(file, "0"));
}
