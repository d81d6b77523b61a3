// `./dev bench --against DIR [rows …] --pairs 5`: the whole bench of another checkout and of this one in turn, so that what else the
// machine does meets both. Per measure: the median of new against old, beside how far the old one is from itself.
import { fileURLToPath } from "node:url";
import { percentile } from "./table.ts";

const HERE = fileURLToPath(new URL("../..", import.meta.url));
/** More than this counts as slower, unless the old one differs from itself by as much. */
const SLOWER = 1.05;

export interface Measured {
  /** Measure, limit and goal, as the table has them. */
  name: string;
  goal: string;
  value: number;
}

export interface Compared {
  name: string;
  /** Above 1 the new one costs more. */
  median: number;
  /** The old one against its own median, least and most. */
  spread: [number, number];
  isWorse: boolean;
}

/** Rows of a table that the bench printed, of this checkout or of an older one. */
export function readTable(text: string): Measured[] {
  return text.split("\n").flatMap((line) => {
    const [, measure, limit, goal, median] = line.split("|").map((cell) => cell.trim());
    const value = parseFloat(median ?? "");
    return measure && Number.isFinite(value)
      ? [{ name: `${measure} | ${limit}`, goal: goal!, value }]
      : [];
  });
}

/** Of each pair the old one stands first. What only one of them measures is left out. */
export function compare(pairs: [old: Measured[], now: Measured[]][]): Compared[] {
  const names = [...new Set(pairs.flatMap(([old]) => old.map(({ name }) => name)))];
  return names.flatMap((name) => {
    const found = pairs.flatMap(([old, now]) => {
      const [a, b] = [old, now].map((side) => side.find((each) => each.name === name));
      // Where more is better the cost is the other way round.
      return a && b ? [a.goal.startsWith("≥") ? [b.value, a.value] : [a.value, b.value]] : [];
    }) as [number, number][];
    if (found.length === 0) return [];
    const median = percentile(found.map(([old, now]) => now / old), 0.5);
    const usual = percentile(found.map(([old]) => old), 0.5);
    const own = found.map(([old]) => old / usual);
    const spread: [number, number] = [Math.min(...own), Math.max(...own)];
    return [{ name, median, spread, isWorse: median > Math.max(SLOWER, spread[1]) }];
  });
}

/** Runs both in turn and prints what came out; returns the exit code. */
export async function benchAgainst(dir: string, rows: string[], pairs: number): Promise<number> {
  const done: [Measured[], Measured[]][] = [];
  for (let n = 1; n <= pairs; n++) {
    console.error(`pair ${n} of ${pairs}`);
    // Who is first pays for what the disk has to do; so it is each in turn.
    const order = n % 2 ? [dir, HERE] : [HERE, dir];
    const sides = new Map<string, Measured[]>();
    for (const side of order) sides.set(side, await run(side, rows));
    done.push([sides.get(dir)!, sides.get(HERE)!]);
  }
  const compared = compare(done);
  console.log(
    "| measure | limit beside it | new / old | old against itself | |\n|---|---|---|---|---|",
  );
  for (const { name, median, spread, isWorse } of compared) {
    const own = spread.map((each) => each.toFixed(2)).join("–");
    console.log(`| ${name} | ${median.toFixed(2)} | ${own} | ${isWorse ? "worse" : "ok"} |`);
  }
  return compared.some(({ isWorse }) => isWorse) ? 1 : 0;
}

async function run(dir: string, rows: string[]): Promise<Measured[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tests/bench/main.ts", ...rows],
    cwd: dir,
    // An older one does not know it and takes its three rounds.
    env: { RM_BENCH_ROUNDS: "1" },
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`the bench of ${dir} failed`);
  return readTable(new TextDecoder().decode(stdout));
}
