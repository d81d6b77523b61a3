import { AppError } from "../errors.ts";
import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { adminAccessOf } from "../maintenance/admin_access.ts";
import { noteMaintenance } from "../maintenance/note.ts";
import { startForHost } from "../maintenance/start.ts";

export const prune: ServerKind<"prune"> = {
  start: startForHost,
  order: adminAccessOf,

  refuse(repository) {
    if (repository.admin_set === 1) return;
    throw new AppError(
      "conflict",
      "Prune deletes data and needs the admin credential of this repository; set it first.",
    );
  },

  longestWaitMs: LONGEST_WAIT,
  ended: noteMaintenance,
};
