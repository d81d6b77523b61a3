import { hookToTry } from "../hooks/resolve.ts";
import { TriedHook } from "../hooks/try.ts";
import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";

export const hook: ServerKind<"hook"> = {
  order: async (server, job) => ({
    hook: await hookToTry(server, job, requestOf(job, TriedHook).hook),
  }),
  longestWaitMs: LONGEST_WAIT,
};
