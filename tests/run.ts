// Runs tests, all of them or those that are named, and names at the end which took longest, and what was left out and why.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DOMParser } from "linkedom";
import { LEFT_OUT, type LeftOut } from "./support/left_out.ts";

const SLOWEST_SHOWN = 10;

/** Returns the runner's exit code. `env`: beside what there is. */
export async function runTests(args: string[], env: Record<string, string> = {}): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "rm-tests-" });
  const [leftOut, report] = [join(folder, "left-out"), join(folder, "report.xml")];
  try {
    await Deno.writeTextFile(leftOut, "");
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...args],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...env, [LEFT_OUT]: leftOut },
    }).spawn().status;
    // Without one the tests did not even begin.
    const xml = await Deno.readTextFile(report).catch(() => "");
    for (const line of slowestOf(xml)) console.log(line);
    for (const line of reportOf(await Deno.readTextFile(leftOut))) console.log(line);
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One line each, such as "» left out: NAME: REASON", which .ci/run reads; the same of several files once. */
export function reportOf(rows: string): string[] {
  const all = rows.split("\n").filter(Boolean).map((row) => JSON.parse(row) as LeftOut);
  return [...new Set(all.map(({ name, reason }) => `» left out: ${name}: ${reason}`))];
}

/** One line each, such as "slow: 12.3 s  NAME (FILE)", the slowest first. `xml`: a report in JUnit's form. */
export function slowestOf(xml: string): string[] {
  if (xml === "") return [];
  const cases = [...new DOMParser().parseFromString(xml, "text/html").querySelectorAll("testcase")];
  return cases.map((each) => ({
    name: each.getAttribute("name"),
    file: each.getAttribute("classname"),
    seconds: Number(each.getAttribute("time")),
  })).sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_SHOWN)
    .map(({ name, file, seconds }) => `slow: ${seconds.toFixed(1)} s  ${name} (${file})`);
}

if (import.meta.main) {
  Deno.exit(await runTests(Deno.args.length > 0 ? Deno.args : ["tests"]));
}
