// What people do meanwhile. The server may be away or refuse: that is counted, and no fault.
import type { ActName, Step } from "./plan.ts";
import type { SoakHost, World } from "./world.ts";

type Act = (world: World, host: SoakHost, step: Step<ActName>) => Promise<unknown>;

const PAGES = ["/", "/jobs", "/repositories", "/audit", "/api/hosts", "/api/fleet/summary"];

const ACTS: Record<ActName, Act> = {
  "run now": ({ fleet }, { id }) => fleet.run(id),
  "cancel": async ({ fleet }, _, { target }) => {
    const open = [];
    for (const status of ["running", "queued"]) {
      open.push(...(await fleet.api("GET", `/api/jobs?status=${status}`)).items);
    }
    const job = open[Math.floor(target * open.length)];
    if (job) await fleet.api("POST", `/api/jobs/${job.id}/cancel`);
  },
  "check": (world, host) => maintain(world, host, { kind: "check" }),
  "prune": (world, host) => maintain(world, host, { kind: "prune" }),
  "forget": (world) =>
    world.fleet.api("POST", `/api/repositories/${world.fakes.id}/jobs`, {
      kind: "forget",
      may_drop_most: true,
    }),
  "edit of a group": (world, host, { choice }) => world.edit(host, 3 + Math.floor(choice * 5)),
  "look at pages": async ({ fleet }) => {
    for (const page of PAGES) await fleet.api("GET", page);
  },
};

function maintain({ fleet }: World, { repositoryId }: SoakHost, input: Record<string, unknown>) {
  return fleet.api("POST", `/api/repositories/${repositoryId}/jobs`, input);
}

/** Answers only when it is done or refused; a server that is frozen is given ten seconds. */
export async function doAct(world: World, step: Step<ActName>): Promise<void> {
  const host = world.hosts[Math.floor(step.target * world.hosts.length)]!;
  let timer: number | undefined;
  const enough = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in ten seconds")), 10_000);
  });
  try {
    await Promise.race([ACTS[step.name](world, host, step), enough]);
    world.count(`person: ${step.name}`);
  } catch (error) {
    world.count(`person: ${step.name}, refused or not answered`);
    const why = error instanceof Error ? error.message : String(error);
    world.note(`person: ${step.name} on ${host.name}: ${why.slice(0, 160)}`);
  } finally {
    clearTimeout(timer);
  }
}
