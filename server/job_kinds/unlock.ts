import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";
import { startOne } from "../jobs/start.ts";
import { UnlockRequest } from "../maintenance/remove_locks.ts";
import { startForHost } from "../maintenance/start.ts";
import { wantsAllRemoved } from "../jobs/remove_all_input.ts";

export const unlock: ServerKind<"unlock"> = {
  async start(server, actor, hostId, input) {
    return wantsAllRemoved(actor, input)
      ? await startForHost(server, actor, hostId, input)
      : await startOne(server, actor, hostId, input);
  },

  order: (_server, job) => Promise.resolve(requestOf(job, UnlockRequest)),
  // Locks that may be alive: nobody's may come meanwhile.
  isAlone: (job) => requestOf(job, UnlockRequest).remove_all !== undefined,
  longestWaitMs: LONGEST_WAIT,
};
