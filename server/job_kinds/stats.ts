import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { startOne } from "../jobs/start.ts";

export const stats: ServerKind<"stats"> = {
  start: startOne,
  order: () => Promise.resolve({}),
  longestWaitMs: LONGEST_WAIT,
};
