// Faults of system calls in a program that runs already: strace is attached to it, and what it injects ends with it.
import { eventually } from "./eventually.ts";
import { missingProgram } from "./left_out.ts";

/** Why strace cannot attach here, or undefined. */
export async function missingAttach(): Promise<string | undefined> {
  const missing = await missingProgram("strace");
  if (missing) return missing;
  const child = new Deno.Command("sleep", { args: ["30"] }).spawn();
  try {
    await using _strace = await attach(child.pid, "trace=none");
    return undefined;
  } catch {
    return "strace may not attach to another process";
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

/**
 * Attaches to all threads of the program; each expression is one of strace's `-e`. With `paths` only calls that touch them are
 * looked at. Detaches when it is disposed of.
 */
export async function attach(
  pid: number,
  expressions: string | string[],
  paths: string[] = [],
): Promise<AsyncDisposable> {
  const child = new Deno.Command("strace", {
    args: [
      ...["-f", "-o", "/dev/null", "-p", `${pid}`],
      ...[expressions].flat().flatMap((each) => ["-e", each]),
      ...paths.flatMap((path) => ["-P", path]),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  const reading = (async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) said += part;
  })();
  let code: number | undefined;
  child.status.then((status) => code = status.code);
  try {
    await eventually("strace is attached", () => {
      if (code !== undefined) throw new Error(said);
      return said.includes("attached");
    }, 5000);
  } catch (error) {
    if (code === undefined) child.kill("SIGKILL");
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      // It detaches; the program goes on.
      if (code === undefined) child.kill("SIGINT");
      await child.status;
      await reading;
    },
  };
}
