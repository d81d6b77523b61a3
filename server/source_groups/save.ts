import { type Change, change } from "../change.ts";
import type { Transaction } from "kysely";
import { isExcludePattern } from "../../shared/exclude_pattern.ts";
import { HOOK_NAMES } from "../../shared/hooks.ts";
import { newId } from "../../shared/new_id.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { changedHook, refuseUnlessAdmin } from "../hooks/seal.ts";
import type { Actor, Server } from "../server.ts";
import type { SourceGroupInput } from "./fields.ts";
import { leaveSnapshots, type SnapshotsChoice } from "./leave_snapshots.ts";
import { refuseUnapprovedPaths } from "../approvals.ts";

/** As long as a tag may be (shared/fields.ts, groupName). */
const TAG_LENGTH = 64;

/** A source group, and the host that it must belong to. */
export interface OfHost {
  hostId: string;
  id: string;
}

export async function createSourceGroup(
  server: Server,
  actor: Actor,
  hostId: string,
  input: SourceGroupInput,
): Promise<{ id: string }> {
  const id = newId();
  await change(server, actor, async (act) => {
    const { tx, now } = act;
    const of = { hostId, id };
    await refuseTakenName(tx, of, input.name);
    await refuseForSystem(tx, hostId, input);
    await refuseUnapprovedPaths(act, hostId, { field: "includes", paths: input.includes });
    await insertSourceGroup(tx, now, of, input);
    await saveHooks(act, of, input);
    await act.planChanged(hostId);
    await act.audit({
      action: "source_group.created",
      target: { kind: "source_group", id, name: input.name },
      detail: { host_id: hostId },
    });
  });
  return { id };
}

export async function changeSourceGroup(
  server: Server,
  actor: Actor,
  of: OfHost,
  input: SourceGroupInput,
): Promise<void> {
  const { hostId, id } = of;
  await change(server, actor, async (act) => {
    const { tx, now } = act;
    await refuseTakenName(tx, of, input.name);
    await refuseForSystem(tx, hostId, input);
    const stored = await tx.selectFrom("source_groups").select("includes")
      .where("id", "=", id).where("host_id", "=", hostId).executeTakeFirst();
    if (!stored) throw noSuchGroup();
    const before = JSON.parse(stored.includes) as string[];
    const chosen = { field: "includes", paths: input.includes, before };
    await refuseUnapprovedPaths(act, hostId, chosen);
    await tx.updateTable("source_groups").set({ ...columns(input), updated_at: now })
      .where("id", "=", id).execute();
    await saveHooks(act, of, input);
    await act.planChanged(hostId);
    await act.audit({
      action: "source_group.changed",
      target: { kind: "source_group", id, name: input.name },
      detail: { host_id: hostId },
    });
  });
}

/** The group's snapshots stay in the repository, and are listed there as governed by no group. */
export async function removeSourceGroup(
  server: Server,
  actor: Actor,
  { hostId, id }: OfHost,
  choice: SnapshotsChoice = { snapshots: "ask" },
): Promise<void> {
  await change(server, actor, async ({ tx, audit, planShrank }) => {
    await refuseScheduled(tx, id);
    await leaveSnapshots(tx, server.now(), actor, { hostId, groupId: id, choice });
    const gone = await tx.deleteFrom("source_groups").where("id", "=", id)
      .where("host_id", "=", hostId).returning("name").executeTakeFirst();
    if (!gone) throw noSuchGroup();
    await planShrank(hostId);
    await audit({
      action: "source_group.removed",
      target: { kind: "source_group", id, name: gone.name },
      detail: { host_id: hostId, ...choice },
    });
  });
}

export async function insertSourceGroup(
  tx: Transaction<Tables>,
  now: number,
  { hostId, id }: OfHost,
  input: SourceGroupInput,
): Promise<void> {
  const snapshot_tag = await freeTag(tx, hostId, input.name);
  await tx.insertInto("used_tags").values({ host_id: hostId, tag: snapshot_tag }).execute();
  await tx.insertInto("source_groups").values({
    id,
    host_id: hostId,
    snapshot_tag,
    ...columns(input),
    created_at: now,
    updated_at: now,
  }).execute();
}

/** From the group's name; never one that a group of this host ever had, whose snapshots would become this one's. */
async function freeTag(tx: Transaction<Tables>, hostId: string, name: string): Promise<string> {
  const rows = await tx.selectFrom("used_tags").select("tag").where("host_id", "=", hostId)
    .execute();
  const used = new Set(rows.map(({ tag }) => tag.toLowerCase()));
  for (let n = 1;; n++) {
    const ending = n === 1 ? "" : `-${n}`;
    const tag = `${[...name].slice(0, TAG_LENGTH - ending.length).join("").trimEnd()}${ending}`;
    if (!used.has(tag.toLowerCase())) return tag;
  }
}

/** In the transaction that made or changed the group. Throws forbidden unless an admin changes something. */
async function saveHooks(
  act: Change,
  { hostId, id }: OfHost,
  input: SourceGroupInput,
): Promise<void> {
  const { tx, actor } = act;
  const stored = await tx.selectFrom("source_groups")
    .select(["pre_hook_sealed", "post_hook_sealed", "hook_timeout_seconds", "hook_stop_at_error"])
    .where("id", "=", id).executeTakeFirstOrThrow();
  const detail: Record<string, string | number | boolean> = {};
  for (const name of HOOK_NAMES) {
    const owner = { table: "source_groups" as const, row: id };
    const hook = { owner, name, stored: stored[`${name}_sealed`], wanted: input[name] };
    const change = await changedHook(act, hook);
    if (!change) continue;
    await tx.updateTable("source_groups").set({ [`${name}_sealed`]: change.sealed })
      .where("id", "=", id).execute();
    detail[name] = change.sealed ? "set" : "cleared";
  }
  const { hook_timeout_seconds } = input;
  if (hook_timeout_seconds && hook_timeout_seconds !== stored.hook_timeout_seconds) {
    refuseUnlessAdmin(actor, "hook_timeout_seconds");
    await tx.updateTable("source_groups").set({ hook_timeout_seconds }).where("id", "=", id)
      .execute();
    detail.hook_timeout_seconds = hook_timeout_seconds;
  }
  const { hook_stop_at_error: stops } = input;
  if (stops !== undefined && stops !== (stored.hook_stop_at_error === 1)) {
    refuseUnlessAdmin(actor, "hook_stop_at_error");
    await tx.updateTable("source_groups").set({ hook_stop_at_error: stops ? 1 : 0 })
      .where("id", "=", id).execute();
    detail.hook_stop_at_error = stops;
  }
  if (Object.keys(detail).length === 0) return;
  await act.audit({
    action: "source_group.hook_updated",
    target: { kind: "source_group", id, name: input.name },
    detail: { host_id: hostId, ...detail },
  });
}

function columns(whole: SourceGroupInput) {
  const {
    pre_hook: _,
    post_hook: __,
    hook_timeout_seconds: ___,
    hook_stop_at_error: ____,
    ...input
  } = whole;
  return {
    ...input,
    includes: JSON.stringify(input.includes),
    excludes: JSON.stringify(input.excludes),
    iexcludes: JSON.stringify(input.iexcludes),
    exclude_if_present: JSON.stringify(input.exclude_if_present),
    exclude_caches: input.exclude_caches ? 1 : 0,
    one_file_system: input.one_file_system ? 1 : 0,
    retention: JSON.stringify(input.retention),
    use_fs_snapshot: input.use_fs_snapshot ? 1 : 0,
  };
}

async function refuseTakenName(
  tx: Transaction<Tables>,
  { hostId, id }: OfHost,
  name: string,
): Promise<void> {
  const other = await tx.selectFrom("source_groups").select("id").where("host_id", "=", hostId)
    .where("name", "=", name).where("id", "!=", id).executeTakeFirst();
  if (other) {
    throw new AppError("conflict", `This host already has a source group named ${name}.`, "name");
  }
}

/** What restic on the host's system would refuse, and every backup with it. */
async function refuseForSystem(
  tx: Transaction<Tables>,
  hostId: string,
  input: SourceGroupInput,
): Promise<void> {
  const host = await tx.selectFrom("hosts").select("os").where("id", "=", hostId)
    .executeTakeFirst();
  const os = host?.os ?? "linux";
  if (input.use_fs_snapshot && os !== "windows") {
    throw new AppError(
      "invalid",
      "use_fs_snapshot must be false: only Windows hosts have volume shadow copies.",
      "use_fs_snapshot",
    );
  }
  if (input.one_file_system && os === "windows") {
    throw new AppError(
      "invalid",
      "one_file_system must be false: restic cannot tell file systems apart on Windows.",
      "one_file_system",
    );
  }
  refuseUnreadable(input, os);
}

function refuseUnreadable(input: SourceGroupInput, os: string): void {
  for (const field of ["excludes", "iexcludes"] as const) {
    const n = input[field].findIndex((pattern) => !isExcludePattern(pattern, os));
    if (n < 0) continue;
    throw new AppError(
      "invalid",
      `${field}.${n} must be a pattern that restic can read: brackets closed and not empty, no backslash at the end.`,
      `${field}.${n}`,
    );
  }
}

async function refuseScheduled(tx: Transaction<Tables>, id: string): Promise<void> {
  const schedules = await tx.selectFrom("schedules")
    .innerJoin("schedule_groups", "schedule_groups.schedule_id", "schedules.id")
    .select("cron").where("source_group_id", "=", id).execute();
  if (schedules.length === 0) return;
  throw new AppError(
    "conflict",
    `The source group is run by ${schedules.length === 1 ? "the schedule" : "the schedules"} ${
      schedules.map((schedule) => schedule.cron).join(", ")
    }; take it out there first.`,
  );
}

function noSuchGroup(): AppError {
  return new AppError("not_found", "There is no such source group on this host.");
}
