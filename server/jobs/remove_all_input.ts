// Whether all locks are to go, as the API is asked.
import { type JobKind, KINDS } from "../../shared/job_kinds/all.ts";
import { AppError } from "../errors.ts";
import type { Actor } from "../server.ts";

export interface RemoveAllInput {
  kind: JobKind;
  remove_all?: boolean | undefined;
  confirm_hostname?: string | undefined;
}

/** Whether all locks are to go. Throws forbidden, or invalid with the field that does not belong there or is missing. */
export function wantsAllRemoved(actor: Actor, input: RemoveAllInput): boolean {
  if (input.remove_all !== true) {
    if (input.confirm_hostname === undefined) return false;
    throw new AppError(
      "invalid",
      'confirm_hostname goes with "remove_all": true, to remove every lock.',
      "confirm_hostname",
    );
  }
  if (actor.role !== "admin") {
    throw new AppError("forbidden", "Removing every lock needs the role admin.");
  }
  if (!("remove_all" in KINDS[input.kind].input)) {
    throw new AppError("invalid", "remove_all is for jobs of the kind unlock only.", "remove_all");
  }
  if (!input.confirm_hostname) {
    throw new AppError(
      "invalid",
      "confirm_hostname is missing: it must be the name of the machine that holds the lock.",
      "confirm_hostname",
    );
  }
  return true;
}
