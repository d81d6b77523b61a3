// `./dev soak --seed N --minutes M [--agents 20]`: a server and agents as real processes, schedules each minute, what people do, and
// every five seconds something that goes wrong. Then all is mended, all jobs end, and the standing oracles are asked. Ends with
// 1 when one of them does not hold, with the seed and what happened last. The order of what goes wrong follows from the seed.
import { parseArgs } from "node:util";
import { soak } from "./soak/soak.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seed: { type: "string" },
    minutes: { type: "string", default: "10" },
    agents: { type: "string", default: "20" },
  },
});
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const [minutes, agents] = [Number(values.minutes), Number(values.agents)];
if (!Number.isInteger(seed) || !(minutes > 0) || !(agents >= 5 && agents <= 100)) {
  console.error("--seed is a whole number, --minutes more than 0, --agents from 5 to 100.");
  Deno.exit(2);
}
console.log(`seed ${seed}`);
const result = await soak({ seed, seconds: minutes * 60, agents, print: console.log });
console.log(`\nSeed ${seed}, ${minutes} minutes, ${agents} agents`);
for (const line of result.counts) console.log(`  ${line}`);
if (result.faults.length > 0) {
  console.log(`\nThe last events:\n${result.events.join("\n")}`);
  console.log(`\nNOT HELD with seed ${seed}:\n${result.faults.join("\n")}`);
}
console.log(result.faults.length === 0 ? "\nAll oracles hold." : "");
Deno.exit(result.faults.length === 0 ? 0 : 1);
