import { AppError } from "../errors.ts";
import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";
import { adminAccessOf } from "../maintenance/admin_access.ts";
import { noteMaintenance } from "../maintenance/note.ts";
import { startForHost } from "../maintenance/start.ts";
import { ForgetRequest } from "../retention/forget_request.ts";
import { namedOrders } from "../retention/named.ts";
import { noteForgotten, noteOrdered } from "../retention/note.ts";
import { forgetOrders, hasPolicy } from "../retention/orders.ts";

export const forget: ServerKind<"forget"> = {
  start: startForHost,

  async order(server, job) {
    const access = await adminAccessOf(server, job);
    const { dry_run = false, may_drop_most = false, named } = requestOf(job, ForgetRequest);
    const wanted = named
      ? await namedOrders(server, job.repository_id, named)
      : await forgetOrders(server, job.repository_id, may_drop_most);
    const forget = await noteOrdered(server, job, wanted);
    return { forget, dry_run, ...access };
  },

  async prepare(server, repository, { named }) {
    if (named || await hasPolicy(server, repository.id)) return {};
    throw new AppError(
      "conflict",
      "No source group that uses this repository has a retention policy (those of hosts that are on hold do not count), so there is nothing to forget.",
    );
  },

  longestWaitMs: LONGEST_WAIT,
  outcome: ({ forgotten }) => ({ result: forgotten ? JSON.stringify(forgotten) : null }),
  finished: (server, tx, job, finished) => noteForgotten(tx, server.now(), job, finished),
  ended: noteMaintenance,
};
