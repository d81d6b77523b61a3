// What a measure came to, and the table that is made of several rounds.
import { cpus, totalmem } from "node:os";
import { anyRestic } from "../support/restic.ts";

/** One measure against a limit that was measured in the same run. */
export interface Row {
  measure: string;
  /** What it is compared with. */
  limit: string;
  goal: string;
  /** Measure divided by limit, or the plain number where there is no limit. */
  ratio: number;
  unit?: string;
  detail?: string;
}

/** A subject of the bench. Called once per round; `end` removes what the rounds shared. */
export interface Topic {
  round(): Promise<Row[]>;
  end?(): Promise<void>;
}

/** Percentile of unsorted numbers; 0.5 is the median. */
export function percentile(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** A Markdown table: per measure the median of the rounds, from the least to the most, and how the median round came about. */
export function tableOf(rounds: Row[][]): string {
  const measures = new Map<string, Row[]>();
  for (const row of rounds.flat()) {
    const key = `${row.measure} | ${row.limit}`;
    measures.set(key, [...measures.get(key) ?? [], row]);
  }
  const lines = [...measures.values()].map((rows) => {
    const ratios = rows.map((row) => row.ratio);
    const median = percentile(ratios, 0.5);
    const { measure, limit, goal, unit = "×", detail = "" } = rows.find((row) =>
      row.ratio === median
    )!;
    const spread = `${short(Math.min(...ratios))}–${short(Math.max(...ratios))}`;
    return [measure, limit, goal, `${short(median)} ${unit}`, spread, detail];
  });
  const head = ["measure", "limit beside it", "goal", "median", "spread", "the median round"];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join(
    "\n",
  );
}

/** The machine in one line. */
export function machine(): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  const restic = anyRestic()?.version ?? "none";
  return `${cpus().length} cores, ${gib} GiB memory, ${Deno.build.os} ${Deno.osRelease()}, ` +
    `Deno ${Deno.version.deno}, restic ${restic}`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
