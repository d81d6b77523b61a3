// Runs the trials of a folder and prints each with what was done, expected and seen.
import { runTests } from "./run.ts";
import { TRIAL_REPORT, type TrialResult } from "./support/trial.ts";

/** Those of the folder whose file has one of the program's arguments in its name; returns the exit code. */
export async function runTrials(folder: string, wereHeld: string): Promise<number> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL(folder, import.meta.url))) {
    if (Deno.args.length === 0 || Deno.args.some((part) => name.includes(part))) {
      if (name.endsWith("_test.ts")) files.push(`tests/${folder}/${name}`);
    }
  }
  if (files.length === 0) {
    console.error(`No file of tests/${folder} has "${Deno.args.join('" or "')}" in its name.`);
    return 2;
  }
  const file = await Deno.makeTempFile({ prefix: "rm-trials-" });
  try {
    const code = await runTests([...files.sort(), "--parallel", "--reporter=dot"], {
      [TRIAL_REPORT]: file,
    });
    const results = (await Deno.readTextFile(file)).split("\n").filter(Boolean)
      .map((row) => JSON.parse(row) as TrialResult);
    for (const each of results) print(each);
    const held = results.filter((each) => each.held).length;
    console.log(`\n${held} of ${results.length} ${wereHeld}.`);
    return code;
  } finally {
    await Deno.remove(file).catch(() => {});
  }
}

function print({ id, promise, done, expected, seen, held }: TrialResult): void {
  console.log(`\n${held ? "held    " : "NOT HELD"}  ${id}: ${promise}`);
  console.log(`          done      ${done}\n          expected  ${expected}`);
  for (const text of seen) console.log(`          seen      ${text}`);
}
