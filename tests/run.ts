// Runs tests, all of them (RM_TEST_LANES processes side by side, 2 without it) or those that are named, and names at the end which
// took longest, and what was left out and why.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DOMParser } from "linkedom";
import { batchesOf, runBatches, testFiles } from "./lanes.ts";
import { SHARED_BUILD } from "./support/compiled.ts";
import { LEFT_OUT, type LeftOut } from "./support/left_out.ts";

const SLOWEST_SHOWN = 10;

/** In one process, with deno's own arguments. Returns the runner's exit code. `env`: beside what there is. */
export async function runTests(args: string[], env: Record<string, string> = {}): Promise<number> {
  return await reported(env, async (folder, env) => {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", `--junit-path=${join(folder, "report.xml")}`, ...args],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env,
    }).spawn().status;
    return code;
  });
}

/** Every test, in so many processes side by side. */
export async function runAll(lanes: number): Promise<number> {
  return await reported(
    {},
    async (folder, env) => await runBatches(batchesOf(testFiles("tests"), folder), lanes, env),
  );
}

/** Prints afterwards what took longest and what was left out. `run` puts its reports in JUnit's form into the folder. */
async function reported(
  more: Record<string, string>,
  run: (folder: string, env: Record<string, string>) => Promise<number>,
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "rm-tests-" });
  // Other users run the programs that are built here.
  await Deno.chmod(folder, 0o755);
  const leftOut = join(folder, "left-out");
  try {
    await Deno.writeTextFile(leftOut, "");
    const code = await run(folder, { ...more, [LEFT_OUT]: leftOut, [SHARED_BUILD]: folder });
    const reports = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".xml"));
    // Without one the tests did not even begin.
    const slow = reports.flatMap(({ name }) => timesOf(Deno.readTextFileSync(join(folder, name))));
    for (const line of slowestOf(slow)) console.log(line);
    for (const line of reportOf(await Deno.readTextFile(leftOut))) console.log(line);
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function lanesOf(text: string | undefined): number {
  const lanes = Number(text ?? Math.min(2, navigator.hardwareConcurrency));
  if (Number.isInteger(lanes) && lanes >= 1 && lanes <= 16) return lanes;
  console.error("RM_TEST_LANES must be a whole number from 1 to 16.");
  Deno.exit(2);
}

/** One line each, such as "» left out: NAME: REASON", which .ci/run reads; the same of several files once. */
export function reportOf(rows: string): string[] {
  const all = rows.split("\n").filter(Boolean).map((row) => JSON.parse(row) as LeftOut);
  return [...new Set(all.map(({ name, reason }) => `» left out: ${name}: ${reason}`))];
}

interface Time {
  name: string | null;
  file: string | null;
  seconds: number;
}

/** `xml`: a report in JUnit's form. */
function timesOf(xml: string): Time[] {
  if (xml === "") return [];
  const cases = [...new DOMParser().parseFromString(xml, "text/html").querySelectorAll("testcase")];
  return cases.map((each) => ({
    name: each.getAttribute("name"),
    file: each.getAttribute("classname"),
    seconds: Number(each.getAttribute("time")),
  }));
}

/** One line each, such as "slow: 12.3 s  NAME (FILE)", the slowest first. */
function slowestOf(times: Time[]): string[] {
  return times.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_SHOWN)
    .map(({ name, file, seconds }) => `slow: ${seconds.toFixed(1)} s  ${name} (${file})`);
}

if (import.meta.main) {
  const { args } = Deno;
  Deno.exit(
    args.length > 0 ? await runTests(args) : await runAll(lanesOf(Deno.env.get("RM_TEST_LANES"))),
  );
}
