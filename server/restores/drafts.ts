// A restore that is being put together: which files of which snapshot, to which machine, where. It is its maker's alone, and gone after a
// day; nothing runs before it is started.
import type { Transaction } from "kysely";
import { z } from "zod";
import { OVERWRITES, RESTORE_ITEMS_LIMIT } from "../../shared/job_kinds/restore.ts";
import { newId } from "../../shared/new_id.ts";
import type { Db } from "../database/open.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import type { JobRow } from "../jobs/find.ts";
import { requestOf } from "../jobs/request.ts";
import { type FoundSnapshot, getSnapshot } from "../snapshots/get.ts";
import { RestoreRequest } from "./request.ts";
import { checkRights } from "./rights.ts";
import { exactItems, getTargetHost, itemsOfJob } from "./start.ts";

const DRAFT_MS = 86_400_000;
/** Of one person; of more the oldest go. */
const DRAFTS = 50;

/** What was chosen so far, as typed. */
export const DraftChoice = z.object({
  host_id: z.string().default(""),
  kind: z.enum(["folder", "original"]).default("folder"),
  /** Blank: the one that is proposed. */
  path: z.string().max(4096).default(""),
  keep_paths: z.boolean().default(true),
  overwrite: z.enum(OVERWRITES).default("always"),
  verify: z.boolean().default(false),
  undo: z.boolean().default(true),
});
export type DraftChoice = z.infer<typeof DraftChoice>;

export interface Draft {
  id: string;
  repository_id: string;
  snapshot_id: string;
  items: string[];
  choice: DraftChoice;
  expires_at: number;
}

type Content = Pick<Draft, "items"> & { choice: DraftChoice };

/** Returns its id. Throws invalid. */
export async function createDraft(
  server: Server,
  actor: Actor,
  snapshot: Pick<FoundSnapshot, "id" | "repository_id">,
  content: Content,
): Promise<string> {
  const id = newId();
  const userId = userIdOf(actor);
  const now = server.now();
  await server.db.transaction().execute(async (tx) => {
    await tx.deleteFrom("restore_drafts").where("expires_at", "<=", now).execute();
    const kept = tx.selectFrom("restore_drafts").select("id").where("user_id", "=", userId)
      .orderBy("created_at", "desc").orderBy("id", "desc").limit(DRAFTS - 1);
    await tx.deleteFrom("restore_drafts").where("user_id", "=", userId)
      .where("id", "not in", kept).execute();
    await tx.insertInto("restore_drafts").values({
      id,
      user_id: userId,
      repository_id: snapshot.repository_id,
      snapshot_id: snapshot.id,
      items: itemsText(content.items),
      choice: JSON.stringify(content.choice),
      created_at: now,
      expires_at: now + DRAFT_MS,
    }).execute();
  });
  return id;
}

/** Throws not_found, also for another person's. */
export async function getDraft(
  server: { db: Db | Transaction<Tables>; now: Server["now"] },
  actor: Actor,
  id: string,
): Promise<Draft> {
  const row = await server.db.selectFrom("restore_drafts").selectAll().where("id", "=", id)
    .where("user_id", "=", userIdOf(actor)).where("expires_at", ">", server.now())
    .executeTakeFirst();
  if (!row) {
    throw new AppError(
      "not_found",
      "There is no such restore: it was begun more than a day ago, or by somebody else. Choose the files again.",
    );
  }
  return {
    id: row.id,
    repository_id: row.repository_id,
    snapshot_id: row.snapshot_id,
    items: JSON.parse(row.items),
    choice: DraftChoice.parse(JSON.parse(row.choice)),
    expires_at: row.expires_at,
  };
}

/** Throws not_found and invalid. */
export async function changeDraft(
  server: Server,
  actor: Actor,
  id: string,
  change: (draft: Draft) => Partial<Content>,
): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    const { items, choice } = change(await getDraft({ db: tx, now: server.now }, actor, id));
    const set = {
      ...(items ? { items: itemsText(items) } : {}),
      ...(choice ? { choice: JSON.stringify(choice) } : {}),
    };
    if (Object.keys(set).length === 0) return;
    await tx.updateTable("restore_drafts").set(set).where("id", "=", id).execute();
  });
}

export async function removeDraft(server: Server, actor: Actor, id: string): Promise<void> {
  await server.db.deleteFrom("restore_drafts").where("id", "=", id)
    .where("user_id", "=", userIdOf(actor)).execute();
}

/** A new one of what a job restored, to the same place. Throws forbidden, not_found. */
export async function draftOfJob(
  server: Server,
  actor: Actor,
  job: JobRow,
): Promise<string> {
  const { snapshot, target, overwrite, verify, undo } = requestOf(job, RestoreRequest);
  const items = await itemsOfJob(server, job);
  // What an admin restored may lie where this person sees nothing.
  const found = await getSnapshot(server, snapshot, job.repository_id);
  const host = await getTargetHost(server, job.host_id);
  checkRights(actor, { snapshot: found, host, asked: { items, target: { kind: "folder" } } });
  return await createDraft(server, actor, {
    id: snapshot,
    repository_id: job.repository_id,
  }, {
    items,
    choice: {
      host_id: job.host_id,
      kind: target.kind,
      path: target.kind === "folder" ? target.path : "",
      keep_paths: target.kind === "folder" ? target.keep_paths ?? true : true,
      overwrite,
      verify,
      undo: target.kind === "folder" ? true : undo,
    },
  });
}

function itemsText(items: string[]): string {
  const exact = exactItems(items);
  if (exact.length > RESTORE_ITEMS_LIMIT) {
    throw new AppError(
      "invalid",
      `At most ${RESTORE_ITEMS_LIMIT} files and folders are restored at once: choose the folders that they are in.`,
      "item",
    );
  }
  return JSON.stringify(exact);
}

function userIdOf(actor: Actor): string {
  if (!actor.id) throw new AppError("unauthorized", "Sign in first.");
  return actor.id;
}
