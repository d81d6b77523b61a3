// Which source groups a backup that a person starts is of.
import type { Transaction } from "kysely";
import type { JobKind } from "../../shared/job_kinds/all.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { JobInput } from "../jobs/start.ts";

interface Group {
  id: string;
  name: string;
}

/** Those that are named and have paths, without those that are backed up right now. Throws invalid, or conflict when none is left. */
export async function groupsToBackUp(
  tx: Transaction<Tables>,
  hostId: string,
  input: JobInput,
): Promise<Group[]> {
  let query = tx.selectFrom("source_groups").select(["id", "name", "includes"])
    .where("host_id", "=", hostId).orderBy("name");
  if (input.source_group_id) query = query.where("id", "=", input.source_group_id);
  if (input.schedule_id) query = query.where("id", "in", await groupsOf(tx, hostId, input));
  const groups = await query.execute();
  if (input.source_group_id && groups.length === 0) {
    throw new AppError(
      "invalid",
      "source_group_id must be a source group of this host.",
      "source_group_id",
    );
  }
  const ready = groups.filter((group) => group.includes !== "[]");
  if (ready.length === 0) {
    throw new AppError(
      "conflict",
      input.source_group_id
        ? `The source group ${groups[0]!.name} has no paths yet; add the paths to back up first.`
        : "This host has no source group with paths; add the paths to back up first.",
    );
  }
  const busy = await openBackups(tx, hostId);
  const free = ready.filter((group) => !busy.has(group.id));
  if (free.length === 0) {
    throw new AppError("conflict", `A backup of ${ready[0]!.name} is already queued or running.`);
  }
  return free;
}

async function groupsOf(
  tx: Transaction<Tables>,
  hostId: string,
  { schedule_id, source_group_id }: JobInput,
): Promise<string[]> {
  if (source_group_id) {
    const sentence = "schedule_id cannot be given together with source_group_id.";
    throw new AppError("invalid", sentence, "schedule_id");
  }
  const rows = await tx.selectFrom("schedule_groups")
    .innerJoin("schedules", "schedules.id", "schedule_groups.schedule_id")
    .select("source_group_id").where("schedule_id", "=", schedule_id!)
    .where("host_id", "=", hostId).execute();
  if (rows.length === 0) {
    throw new AppError("invalid", "schedule_id must be a schedule of this host.", "schedule_id");
  }
  return rows.map((row) => row.source_group_id);
}

async function openBackups(tx: Transaction<Tables>, hostId: string): Promise<Set<string | null>> {
  const kind: JobKind = "backup";
  const rows = await tx.selectFrom("jobs").select("source_group_id").where("host_id", "=", hostId)
    .where("kind", "=", kind).where("status", "in", ["queued", "running"]).execute();
  return new Set(rows.map((row) => row.source_group_id));
}
