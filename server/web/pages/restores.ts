// A restore is put together on one page, and started there.
import { RestorePage } from "../../../templates/restores/page.tsx";
import type { Errors } from "../../../templates/parts/field.tsx";
import { getJobRow } from "../../jobs/find.ts";
import { AppError } from "../../errors.ts";
import {
  changeDraft,
  createDraft,
  type Draft,
  DraftChoice,
  draftOfJob,
  getDraft,
  removeDraft,
} from "../../restores/drafts.ts";
import { startRestore } from "../../restores/start.ts";
import type { Server } from "../../server.ts";
import { getSnapshot } from "../../snapshots/get.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attemptTo, type Form, readForm } from "./form.ts";
import { goTo, show } from "./page.ts";
import { restoreProps } from "./restore_props.ts";

export const restorePageRoutes: Route[] = [
  { method: "POST", path: "/snapshots/:id/restore", role: "operator", handler: choose },
  { method: "GET", path: "/restores/:id", role: "operator", handler: page },
  { method: "POST", path: "/restores/:id", role: "operator", handler: act },
  { method: "POST", path: "/restores/:id/delete", role: "operator", handler: discard },
  { method: "POST", path: "/jobs/:id/restore-again", role: "operator", handler: again },
];

/** What was ticked in a folder goes into a new restore, or into one that was begun. */
async function choose(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const repository = form.text("repository") || c.req.query("repository") || undefined;
  const snapshot = await getSnapshot(server, c.req.param("id") ?? "", repository);
  const items = form.all("item").filter(Boolean);
  if (items.length === 0) {
    throw new AppError("invalid", "Nothing is ticked: tick the files and folders to restore.");
  }
  const begun = form.text("draft");
  const actor = actorOf(c);
  const draft = begun ? await getDraft(server, actor, begun) : undefined;
  if (draft?.snapshot_id === snapshot.id) {
    await changeDraft(server, actor, draft.id, (each) => ({ items: [...each.items, ...items] }));
    return goTo(c, `/restores/${draft.id}`);
  }
  const choice = DraftChoice.parse({ host_id: snapshot.source?.id ?? "" });
  return goTo(c, `/restores/${await createDraft(server, actor, snapshot, { items, choice })}`);
}

async function page(server: Server, c: Ctx): Promise<Response> {
  return await showDraft(server, c, await getDraft(server, actorOf(c), pathId(c, "id")));
}

async function showDraft(server: Server, c: Ctx, draft: Draft, errors: Errors = {}) {
  const props = await restoreProps(server, c, draft, errors);
  return show(c, RestorePage(props), Object.keys(errors).length > 0 ? 422 : 200);
}

async function act(server: Server, c: Ctx): Promise<Response> {
  const actor = actorOf(c);
  const id = pathId(c, "id");
  const form = await readForm(c);
  const removed = form.text("remove");
  await changeDraft(server, actor, id, ({ items, choice }) => ({
    choice: choiceIn(form, choice),
    ...(removed ? { items: items.filter((path) => path !== removed) } : {}),
  }));
  const draft = await getDraft(server, actor, id);
  const wanted = form.text("act");
  if (removed || wanted === "update") return goTo(c, `/restores/${id}`);
  if (wanted !== "start" && wanted !== "try") {
    throw new AppError("bad_request", "act must be start, try or update.", "act");
  }
  const { done, errors } = await attemptTo(() =>
    start(server, c, draft, {
      dry_run: wanted === "try",
      confirm_hostname: form.text("target.confirm_hostname").trim(),
    })
  );
  if (errors) return await showDraft(server, c, draft, errors);
  // A dry run is looked at and then meant.
  if (wanted !== "try") await removeDraft(server, actor, id);
  return goTo(c, `/jobs/${done}`);
}

function choiceIn(form: Form, before: DraftChoice): DraftChoice {
  if (!form.has("kind")) return before;
  const choice = DraftChoice.safeParse({
    host_id: form.text("host_id"),
    kind: form.text("kind"),
    path: form.text("target.path").trim(),
    keep_paths: form.text("keep_paths") !== "no",
    overwrite: form.text("overwrite") || "always",
    verify: form.ticked("verify"),
    undo: form.ticked("undo"),
  });
  return choice.success ? choice.data : before;
}

async function start(
  server: Server,
  c: Ctx,
  { choice, items, snapshot_id, repository_id }: Draft,
  { dry_run, confirm_hostname }: { dry_run: boolean; confirm_hostname: string },
): Promise<string> {
  if (!choice.host_id) throw new AppError("invalid", "host_id must be chosen.", "host_id");
  if (items.length === 0) {
    throw new AppError("invalid", "Nothing is chosen: choose files and folders first.", "");
  }
  const { kind, path, keep_paths, overwrite, verify, undo } = choice;
  const snapshot = await getSnapshot(server, snapshot_id, repository_id);
  return await startRestore(server, actorOf(c), choice.host_id, {
    snapshot,
    asked: {
      items,
      verify,
      dry_run,
      ...(kind === "folder"
        ? { target: { kind, keep_paths, ...(path ? { path } : {}) } }
        : { target: { kind, confirm_hostname }, overwrite, undo }),
    },
  });
}

async function discard(server: Server, c: Ctx): Promise<Response> {
  const actor = actorOf(c);
  const draft = await getDraft(server, actor, pathId(c, "id"));
  await removeDraft(server, actor, draft.id);
  return goTo(c, `/snapshots/${draft.snapshot_id}?repository=${draft.repository_id}`);
}

/** What a job restored, or tried to, once more: the same snapshot, items and place. */
async function again(server: Server, c: Ctx): Promise<Response> {
  const job = await getJobRow(server, pathId(c, "id"));
  if (job.kind !== "restore") throw new AppError("not_found", "This job is no restore.");
  return goTo(c, `/restores/${await draftOfJob(server, actorOf(c), job)}`);
}
