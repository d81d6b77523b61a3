// Runs tests, all of them or those that are named, and names at the end what was left out and why.
import { fileURLToPath } from "node:url";
import { LEFT_OUT, type LeftOut } from "./support/left_out.ts";

/** Returns the runner's exit code. `env`: beside what there is. */
export async function runTests(args: string[], env: Record<string, string> = {}): Promise<number> {
  const file = await Deno.makeTempFile({ prefix: "rm-left-out-" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", ...args],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...env, [LEFT_OUT]: file },
    }).spawn().status;
    for (const line of reportOf(await Deno.readTextFile(file))) console.log(line);
    return code;
  } finally {
    await Deno.remove(file);
  }
}

/** One line each, such as "» left out: NAME: REASON", which .ci/run reads; the same of several files once. */
export function reportOf(rows: string): string[] {
  const all = rows.split("\n").filter(Boolean).map((row) => JSON.parse(row) as LeftOut);
  return [...new Set(all.map(({ name, reason }) => `» left out: ${name}: ${reason}`))];
}

if (import.meta.main) {
  Deno.exit(await runTests(Deno.args.length > 0 ? Deno.args : ["tests"]));
}
