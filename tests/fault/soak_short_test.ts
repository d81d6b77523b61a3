import assert from "node:assert/strict";
import { ACTS, FAULTS, planOf } from "../soak/plan.ts";
import { soak } from "../soak/soak.ts";
import { fault } from "../support/trial.ts";

const SEED = 5;

fault({
  id: "soak",
  promise: "whatever goes wrong at random, all jobs end and the standing oracles hold",
  done: `a soak of 20 s with five agents and a fault every two seconds, seed ${SEED}`,
  expected: "the seven oracles, nothing that must be alone beside another one, no line lost",
}, async (see) => {
  const { faults, counts, events } = await soak({
    seed: SEED,
    seconds: 20,
    agents: 5,
    faultEveryMs: 2000,
    actEveryMs: 1500,
  });
  for (const line of counts) see(line);
  assert.deepEqual(faults, [], events.join("\n"));
});

Deno.test("the order of what goes wrong follows from the seed alone, and everything on the lists comes", () => {
  const pace = { forMs: 3_600_000, faultEveryMs: 5000, actEveryMs: 3000 };
  const plan = planOf(7, pace);
  assert.deepEqual(planOf(7, pace), plan);
  assert.notDeepEqual(planOf(8, pace).faults, plan.faults);
  // A longer soak begins as a shorter one does.
  const short = planOf(7, { ...pace, forMs: 60_000 });
  assert.deepEqual(short.faults, plan.faults.slice(0, short.faults.length));
  const names = <Name extends string>(steps: { name: Name }[]) =>
    [...new Set(steps.map(({ name }) => name))].sort();
  assert.deepEqual(names(plan.faults), Object.keys(FAULTS).sort());
  assert.deepEqual(names(plan.acts), Object.keys(ACTS).sort());
});
