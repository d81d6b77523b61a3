// ./dev alone: what there is to do, in words. The tasks and their order are those of deno.json.
import config from "../deno.json" with { type: "json" };

const tasks = Object.entries(config.tasks);
const width = Math.max(...tasks.map(([name]) => name.length)) + 2;
console.log("./dev TASK [arguments]\n");
for (const [name, { description }] of tasks) console.log(`  ${name.padEnd(width)}${description}`);
