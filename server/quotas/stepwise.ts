// Removal of a great deal in many small transactions with pauses between them, so that no page and no agent feels it.
import { pause } from "../pause.ts";
import type { Server } from "../server.ts";

/** A step of so many rows takes a millisecond or two. */
export const ROWS_PER_STEP = 500;
/** Of the time it takes no more than a ninth. */
const PAUSE_FACTOR = 8;
const SHORTEST_PAUSE_MS = 15;
/** Then whoever else has something to remove has a turn. */
const LONGEST_MS = 40_000;

/**
 * Takes steps until one returns false: then true. Returns false when its time is over before, or the server stops; what is left
 * is found again the next time.
 */
export async function stepwise(
  server: Server,
  step: (sqlite: Server["database"]["sqlite"]) => boolean,
): Promise<boolean> {
  const until = performance.now() + LONGEST_MS;
  while (!server.closing.aborted && performance.now() < until) {
    const began = performance.now();
    if (!await server.database.raw(step)) return true;
    const took = performance.now() - began;
    await pause(Math.max(SHORTEST_PAUSE_MS, took * PAUSE_FACTOR), server.closing);
  }
  return false;
}
