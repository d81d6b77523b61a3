// `deno task bench`: prints a table of measures, each beside a limit that was measured in the same run, and writes it to
// .bench/result.md. It asserts nothing. `deno task bench lines fleet` runs only the topics that are named;
// `--against DIR --pairs 5` compares with another checkout (against.ts).
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { benchAgainst } from "./against.ts";
import { BENCH_FOLDER, quiet } from "./sides.ts";
import { benchBackup } from "./backup.ts";
import { benchFleet } from "./fleet.ts";
import { benchIdle } from "./idle.ts";
import { benchLatency } from "./latency.ts";
import { benchLines } from "./lines.ts";
import { benchRestore } from "./restore.ts";
import { benchRemoval } from "./removal.ts";
import { benchReconnect } from "./reconnect.ts";
import { benchStreams } from "./streams.ts";
import { benchStored, endStored } from "./stored.ts";
import { machine, type Row, tableOf, type Topic } from "./table.ts";

const ROUNDS = Number(Deno.env.get("RM_BENCH_ROUNDS") ?? 3);
const TOPICS: Record<string, Topic> = {
  backup: { round: benchBackup },
  restore: { round: benchRestore },
  latency: { round: benchLatency },
  lines: { round: benchLines },
  fleet: { round: benchFleet },
  reconnect: { round: benchReconnect },
  idle: { round: benchIdle },
  removal: { round: benchRemoval },
  streams: { round: benchStreams },
  stored: { round: benchStored, end: endStored },
};

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { against: { type: "string" }, pairs: { type: "string", default: "5" } },
});
const named = positionals.length > 0 ? positionals : Object.keys(TOPICS);
const unknown = named.filter((name) => !(name in TOPICS));
if (unknown.length > 0) {
  console.error(`There is no topic ${unknown.join(", ")}: ${Object.keys(TOPICS).join(", ")}.`);
  Deno.exit(2);
}

if (values.against) {
  Deno.exit(await benchAgainst(resolve(values.against), positionals, Number(values.pairs)));
}

const rows: Row[][] = [];
for (const name of named) {
  const { round, end } = TOPICS[name]!;
  try {
    for (let n = 1; n <= ROUNDS; n++) {
      await quiet();
      console.error(`${name}, round ${n} of ${ROUNDS} (load ${Deno.loadavg()[0]!.toFixed(1)})`);
      rows.push(await round());
    }
  } catch (error) {
    // One topic that cannot be measured here does not cost the others.
    console.error(`${name} was not measured:`, error);
  } finally {
    await end?.();
  }
  // After each topic, so that a bench that is stopped has not worked for nothing.
  await Deno.writeTextFile(join(BENCH_FOLDER, "result.md"), result());
}
console.log(result());
Deno.exit(0);

function result(): string {
  return `${machine()}\n\n${tableOf(rows)}\n`;
}
