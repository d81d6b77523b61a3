import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { isDryRun, requestOf } from "../jobs/request.ts";
import { CheckRequest, noteChecked, partToRead } from "../maintenance/parts.ts";
import { noteMaintenance } from "../maintenance/note.ts";
import { startForHost } from "../maintenance/start.ts";

export const check: ServerKind<"check"> = {
  start: startForHost,
  prepare: (server, repository) => partToRead(server, repository.id),
  order: (_server, job) => Promise.resolve(requestOf(job, CheckRequest)),
  longestWaitMs: LONGEST_WAIT,

  async ended(tx, job, ended) {
    await noteMaintenance(tx, job, ended);
    if (ended.status === "succeeded" && !isDryRun(job)) await noteChecked(tx, job);
  },
};
