// A path in a snapshot, as somebody asks for it.
import { messageOf } from "../../shared/log.ts";
import { readSnapshotPath } from "../../shared/snapshot_path.ts";
import { AppError } from "../errors.ts";

/** The names on the way. Throws invalid with the field path. */
export function namesOf(path: string): Uint8Array[] {
  try {
    return readSnapshotPath(path);
  } catch (error) {
    throw new AppError("invalid", `path ${messageOf(error)}.`, "path");
  }
}
