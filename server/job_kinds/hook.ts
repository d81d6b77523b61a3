import { hookToTry } from "../hooks/resolve.ts";
import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";
import { TestedHook } from "../jobs/test_hook.ts";

export const hook: ServerKind<"hook"> = {
  order: async (server, job) => ({
    hook: await hookToTry(server, job, requestOf(job, TestedHook).hook),
  }),
  longestWaitMs: LONGEST_WAIT,
};
