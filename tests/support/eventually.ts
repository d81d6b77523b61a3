// Waiting for what another program does: asks again until it is so, up to a deadline.

/** The first value of `look` that is neither undefined, false nor an exception. Rejects after the deadline. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 40_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`It did not come to this in ${withinMs} ms: ${what}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
