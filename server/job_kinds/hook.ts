import { hookToTry } from "../hooks/resolve.ts";
import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";
import { TriedHook } from "../jobs/try_hook.ts";

export const hook: ServerKind<"hook"> = {
  order: async (server, job) => ({
    hook: await hookToTry(server, job, requestOf(job, TriedHook).hook),
  }),
  longestWaitMs: LONGEST_WAIT,
};
