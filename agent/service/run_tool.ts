import { messageOf } from "../../shared/log.ts";
import { ServiceProblem } from "./service.ts";

export interface ToolRun {
  code: number;
  /** Both streams as text. */
  text: string;
}

// What the program started may hold its streams open for ever.
const DRAIN_MS = 300;
const START_TRIES = 5;

/** Runs a program of the system to its end. Throws ServiceProblem when it cannot be started. */
export async function runTool(program: string, args: string[]): Promise<ToolRun> {
  const child = await started(program, args);
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  const { code } = await child.status;
  let timer: number | undefined;
  const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, DRAIN_MS));
  await Promise.race([Promise.all([out.done, err.done]), enough]);
  clearTimeout(timer);
  return { code, text: `${await out.text()}\n${await err.text()}`.trim() };
}

async function started(program: string, args: string[]): Promise<Deno.ChildProcess> {
  const streams = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  for (let tries = 1;; tries++) {
    try {
      return new Deno.Command(program, { args, ...streams }).spawn();
    } catch (error) {
      // What has just been downloaded may be held by a virus scanner for a moment.
      if (Deno.build.os !== "windows" || tries === START_TRIES) {
        throw new ServiceProblem(`${program} cannot be started: ${messageOf(error)}.`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function collect(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  const read = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parts.push(value);
    }
  };
  return {
    done: read().catch(() => {}),
    text: async () => {
      await reader.cancel().catch(() => {});
      return readable(parts);
    },
  };
}

/** NSSM writes UTF-16. */
function readable(parts: Uint8Array[]): string {
  const decoder = new TextDecoder();
  const text = parts.map((part) => decoder.decode(part, { stream: true })).join("");
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\u0000\ufeff\r]/g, "").trim();
}
