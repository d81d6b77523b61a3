// All tests, several processes side by side: most tests wait for programs, sockets and clocks, and a machine has more than one core.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** A process takes about a second before its first test; a batch that is long keeps a lane busy when the others have ended. */
const FILES_PER_BATCH = 8;
/** The longest first, so that none of them begins last. What is not named comes between. */
const FIRST = ["tests/deploy", "tests/windows", "tests/attack", "tests/fault", "tests/browser"];

/** What a run of tests came to, as deno's last line has it. */
export interface Counts {
  passed: number;
  steps: number;
  failed: number;
  ignored: number;
}

export interface Batch {
  files: string[];
  report: string;
}

/** All test files below the folder, cut into batches of one folder each. `reports`: where each one's report in JUnit's form goes. */
export function batchesOf(files: string[], reports: string): Batch[] {
  const byFolder = Map.groupBy(files.toSorted(), (file) => file.split("/").slice(0, 2).join("/"));
  const rank = (folder: string) => FIRST.indexOf(folder) < 0 ? FIRST.length : FIRST.indexOf(folder);
  const folders = [...byFolder.keys()].sort((a, b) => rank(a) - rank(b));
  return folders.flatMap((folder) => cut(byFolder.get(folder)!)).map((files, n) => ({
    files,
    report: join(reports, `report-${n}.xml`),
  }));
}

function cut(files: string[]): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at < files.length; at += FILES_PER_BATCH) {
    batches.push(files.slice(at, at + FILES_PER_BATCH));
  }
  return batches;
}

export function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? testFiles(path) : /_test\.tsx?$/.test(name) ? [path] : [];
  });
}

/**
 * Runs them, so many at a time, and prints each one's output when it has ended. Returns the exit code: that of a run which failed,
 * else 0.
 */
export async function runBatches(
  batches: Batch[],
  lanes: number,
  env: Record<string, string>,
): Promise<number> {
  const began = performance.now();
  const left = [...batches];
  const counts: Counts[] = [];
  const failed: string[] = [];
  let code = 0;
  const lane = async () => {
    for (let batch = left.shift(); batch; batch = left.shift()) {
      const run = await runBatch(batch, env);
      console.log(run.said);
      // Without its last line it did not come to its end, whatever its exit code.
      const count = countsOf(run.said) ?? { passed: 0, steps: 0, failed: 1, ignored: 0 };
      counts.push(count);
      failed.push(...failuresOf(run.said));
      code ||= run.code || (count.failed > 0 ? 1 : 0);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failed.length > 0) console.log(`\n FAILURES \n\n${failed.join("\n")}\n`);
  console.log(lastLine(sum(counts), code, performance.now() - began));
  return code;
}

async function runBatch({ files, report }: Batch, env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...files],
    cwd: ROOT,
    env,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: decode(stdout) + decode(stderr) };
}

const LAST_LINE =
  /^(?:ok|FAILED) \| (\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/gm;

/** From "ok | 7 passed (3 steps) | 0 failed | 1 ignored (228ms)"; undefined when there is no such line. */
export function countsOf(said: string): Counts | undefined {
  const [, passed, steps = 0, failed, ignored = 0] = [...plain(said).matchAll(LAST_LINE)].at(-1) ??
    [];
  if (passed === undefined) return undefined;
  return {
    passed: Number(passed),
    steps: Number(steps),
    failed: Number(failed),
    ignored: Number(ignored),
  };
}

/** The lines under deno's heading FAILURES. */
function failuresOf(said: string): string[] {
  const [, list = ""] = plain(said).split(/^ FAILURES $/m);
  return list.split("\n").filter((line) => line.includes(" => "));
}

function plain(said: string): string {
  // deno-lint-ignore no-control-regex
  return said.replaceAll(/\u001b\[[0-9;]*m/g, "");
}

function sum(all: Counts[]): Counts {
  const of = (name: keyof Counts) => all.reduce((total, each) => total + each[name], 0);
  return {
    passed: of("passed"),
    steps: of("steps"),
    failed: of("failed"),
    ignored: of("ignored"),
  };
}

/** In the form of deno's own, which .ci/run reads. */
export function lastLine(counts: Counts, code: number, ms: number): string {
  const { passed, steps, failed, ignored } = counts;
  const seconds = Math.round(ms / 1000);
  const time = `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${code === 0 ? "ok" : "FAILED"} | ${passed} passed (${steps} steps) | ${failed} failed` +
    `${ignored > 0 ? ` | ${ignored} ignored` : ""} (${time})`;
}
