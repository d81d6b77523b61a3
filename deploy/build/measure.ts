import { nativeTarget } from "./targets.ts";

const RUNS = 5;

/** Median of the time that `version` takes; undefined where the program cannot run. Throws when it should but does not. */
export async function startUpMilliseconds(
  path: string,
  target: string,
): Promise<number | undefined> {
  if (target !== nativeTarget()) return undefined;
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    const { success, stderr } = await new Deno.Command(path, {
      args: ["version"],
      clearEnv: true,
      stdout: "null",
    }).output();
    if (!success) throw new Error(`${path} does not run: ${new TextDecoder().decode(stderr)}`);
    times.push(performance.now() - began);
  }
  return Math.round(times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!);
}
