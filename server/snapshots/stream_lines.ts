// Lines of JSON that an agent sends in a stream. Whatever it sends is hostile: each line is held against the schema and against bounds, and what is
// none of them is an error of the agent.
import type { z } from "zod";
import { type AgentStream, StreamError } from "../agent_streams.ts";

export interface LineBounds {
  /** Of all lines, and of one. */
  bytes: number;
  lineBytes: number;
}

/** Each line as the schema reads it. Throws StreamError; `failed` for what is no such line. */
export async function* jsonLines<S extends z.ZodType>(
  stream: AgentStream,
  schema: S,
  bounds: LineBounds,
): AsyncGenerator<z.output<S>> {
  for await (const line of linesOf(stream, bounds)) yield readLine(line, schema);
}

async function* linesOf(
  stream: AgentStream,
  { bytes: most, lineBytes }: LineBounds,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let bytes = 0;
  for await (const piece of stream) {
    bytes += piece.length;
    // The last line comes on top.
    if (bytes > most + 2 * lineBytes) throw nonsense(`more than ${most} bytes`);
    const lines = (rest + decode(decoder, piece)).split("\n");
    rest = lines.pop()!;
    for (const line of [...lines, rest]) {
      if (line.length > 2 * lineBytes) throw nonsense("a line without an end");
    }
    yield* lines;
  }
  if (rest) throw nonsense("half a line");
}

function decode(decoder: TextDecoder, piece: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: true });
  } catch {
    throw nonsense("bytes that are no UTF-8");
  }
}

function readLine<S extends z.ZodType>(line: string, schema: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw nonsense("a line that is no JSON");
  }
  const { success, data } = schema.safeParse(value);
  if (!success) throw nonsense("a line that is no entry");
  return data;
}

/** What it sent is not what was asked for. */
export function nonsense(what: string): StreamError {
  return new StreamError("failed", `it sent ${what}`);
}
