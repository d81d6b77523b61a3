// restic for a reader that asks for piece after piece.
import type { RunContext } from "./context.ts";
import { type Run, type RunOptions, runRestic } from "./run.ts";

/**
 * What `parse` makes of restic's output, when it is asked for; restic stands still meanwhile. A reader that leaves ends restic. Returns how
 * it ended. Throws what `parse` throws, and what runRestic() does.
 */
export async function* readRestic<T>(
  context: RunContext,
  options: RunOptions,
  parse: (out: AsyncIterable<Uint8Array>) => AsyncIterable<T>,
): AsyncGenerator<T, Run> {
  const { readable, writable } = new TransformStream<T, T>();
  const writer = writable.getWriter();
  const run = runRestic(context, {
    ...options,
    pull: async (out) => {
      for await (const value of parse(out)) await writer.write(value);
    },
  });
  // A reader that left wants neither the end nor why there was none.
  const ended = run.then(() => writer.close(), (error) => writer.abort(error)).catch(() => {});
  try {
    yield* readable;
  } finally {
    await ended;
  }
  return await run;
}
