// A test that cannot run here has not passed: to the runner it is ignored, its name says why, and tests/run.ts names it at
// the end of the run.
import { isOnPath } from "../../deploy/system_packages.ts";

/** The name of the file that collects what was left out, one JSON object a line. */
export const LEFT_OUT = "RM_LEFT_OUT";

export interface LeftOut {
  name: string;
  reason: string;
}

/** Registers a test, or leaves it out when something is missing. `missing` is the true reason, or undefined. */
export function testUnless(
  missing: string | undefined,
  name: string,
  body: (t: Deno.TestContext) => void | Promise<void>,
): void {
  if (missing === undefined) Deno.test(name, body);
  else leaveOut(name, missing);
}

/** For whole rows that are not even registered, such as those with a program of a certain version. */
export function leaveOut(name: string, reason: string): void {
  const row: LeftOut = { name, reason };
  const file = Deno.env.get(LEFT_OUT);
  if (file) Deno.writeTextFileSync(file, JSON.stringify(row) + "\n", { append: true });
  Deno.test({ name: `${name} [left out: ${reason}]`, ignore: true, fn() {} });
}

/** The first reason of several. */
export function firstOf(...reasons: (string | undefined)[]): string | undefined {
  return reasons.find((reason) => reason !== undefined);
}

export function missingRoot(): string | undefined {
  return Deno.uid() === 0 ? undefined : `needs root, this is user ${Deno.uid()}`;
}

export async function missingProgram(program: string): Promise<string | undefined> {
  return await isOnPath(program) ? undefined : `${program} is not on PATH`;
}

export function missingFile(path: string, what = path): Promise<string | undefined> {
  return Deno.stat(path).then(() => undefined, () => `${what} is not there`);
}

/** Whether a namespace can be made in which this script works; what it printed is the reason. */
export function missingNamespace(args: string[], script: string): string | undefined {
  const root = missingRoot();
  if (root) return root;
  try {
    const { success, stderr } = new Deno.Command("unshare", {
      args: [...args, "sh", "-ec", script],
      stdin: "null",
      stdout: "null",
    }).outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n")[0] ||
      "unshare fails without a word";
  } catch (error) {
    return `unshare: ${(error as Error).message}`;
  }
}
