import assert from "node:assert/strict";
import fc from "fast-check";
import { fault, TRIAL_REPORT } from "../support/trial.ts";
import { LeaseWorld, type Machine } from "../support/lease_world.ts";
import { startServer } from "../support/start_server.ts";

/** `./dev fault` takes the time that it needs; among all other tests fewer are enough. */
const USUAL = Deno.env.has(TRIAL_REPORT) ? 1000 : 300;
const RUNS = Number(Deno.env.get("RM_TEST_MODEL_RUNS") ?? USUAL);
const SEED = Number(Deno.env.get("RM_TEST_SEED") ?? crypto.getRandomValues(new Int32Array(1))[0]);

type Act = (world: LeaseWorld, machine: Machine) => Promise<void> | void;

/** One step; where it cannot be done it does nothing. */
class Step implements fc.AsyncCommand<object, LeaseWorld> {
  constructor(readonly text: string, readonly n: number, readonly act: Act) {}
  check = () => true;
  async run(_: object, world: LeaseWorld): Promise<void> {
    const machine = world.machines[this.n % world.machines.length]!;
    await this.act(world, machine);
    await world.settle();
  }
  toString = () => `${this.text}(${"abc"[this.n % 3]})`;
}

const machine = fc.nat({ max: 2 });
const step = (text: string, act: Act) => machine.map((n) => new Step(text, n, act));
const steps = [
  step("rejoin", (world, machine) => world.rejoin(machine)),
  step("rejoin and receive", async (world, machine) => {
    await world.rejoin(machine);
    await world.settle();
    world.receive(machine);
  }),
  step("work", (world, machine) => {
    world.receive(machine);
    world.finish(machine);
    world.begin(machine);
  }),
  step("begin", (world, machine) => {
    world.receive(machine);
    world.begin(machine);
  }),
  step("cut", (world, machine) => world.cut(machine)),
  step("cut after receiving", async (world, machine) => {
    world.receive(machine);
    await world.cut(machine);
  }),
  step("kill", (world, machine) => world.kill(machine, false)),
  step("kill and lose the ledger", (world, machine) => world.kill(machine, true)),
  step("reboot", (world, machine) => world.reboot(machine)),
  step("end of an orphan", (world, machine) => world.endOrphan(machine)),
  step("release", (world, machine) => world.release(machine)),
  fc.tuple(machine, fc.constantFrom(1, 12, 40, 300, 1600)).map(([n, minutes]) =>
    new Step(`${minutes} minutes`, n, (world) => world.pass(minutes))
  ),
  fc.tuple(machine, fc.constantFrom(-20_000, -30, 2, 9000)).map(([n, hours]) =>
    new Step(`clock ${hours} h`, n, (world) => world.setClock(hours))
  ),
  step("the server sleeps", async (world) => {
    // No time counts in which it did not run, however much has passed.
    world.test.clock.sleep(30 * 3_600_000);
    await world.look();
  }),
];

const ORDERS: ["backup" | "check" | "init", number][] = [["backup", 3], ["check", 3], ["init", 1]];
const DENSE = [
  ...steps,
  ...ORDERS.flatMap(([kind, times]) =>
    Array.from({ length: times }, () =>
      step(`run ${kind}`, async (world, machine) => {
        await world.rejoin(machine);
        await world.order(machine, kind);
        await world.settle();
        world.receive(machine);
        world.begin(machine);
      }))
  ),
  ...ORDERS.flatMap(([kind, times]) =>
    Array.from({ length: times }, () =>
      step(kind, async (world, machine) => {
        // Nothing is queued for who is away.
        await world.rejoin(machine);
        await world.order(machine, kind);
      }))
  ),
];

/** Side by side, each with a server of its own: most of the time goes to waiting for sockets. */
const LANES = 4;

fault({
  id: "item 2",
  promise: "never two writers, never two inits, no waiting without end",
  done: `${RUNS} times up to 40 random steps with three machines of one repository, seed ${SEED}`,
  expected:
    "who must be alone is alone for as long as he works; afterwards every job has ended and no lease is left",
}, async (see) => {
  const lanes = Array.from(
    { length: LANES },
    (_, lane) => runLane(SEED + lane, Math.ceil(RUNS / LANES)),
  );
  const all = (await Promise.all(lanes)).flat();
  const count = (pattern: RegExp) => all.filter((text) => pattern.test(text)).length;
  const alone = count(/ begins (init|check)/);
  see(
    `${all.length} things happened; ${count(/ accepts /)} orders arrived, ${
      count(/ begins /)
    } were begun, ${alone} of them alone; ` +
      `${count(/is released: 204/)} leases released, ${count(/is cut off/)} cuts, ${
        count(/is killed/)
      } kills, ${count(/is started anew/)} boots, ${count(/clock is set/)} clocks set`,
  );
  assert.ok(alone > RUNS, `only ${alone} were alone`);
});

async function runLane(seed: number, numRuns: number): Promise<string[]> {
  await using test = await startServer({ still: true });
  const done: string[] = [];
  let world = await LeaseWorld.make(test);
  await fc.assert(
    fc.asyncProperty(fc.commands(DENSE, { maxCommands: 40, size: "max" }), async (commands) => {
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
        await world.end();
      } catch (error) {
        const story = world.done.join("\n");
        await world.close();
        world = await LeaseWorld.make(test);
        throw new Error(`seed ${seed}:\n${story}`, { cause: error });
      }
      done.push(...world.done);
      world.done = [];
    }),
    // The seed repeats it. To look for a shorter history takes minutes in which nothing is said.
    { numRuns, seed, endOnFailure: true },
  );
  await world.close();
  return done;
}
