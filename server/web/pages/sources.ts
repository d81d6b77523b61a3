// Source groups of a host, and every button that starts a job.
import { z } from "zod";
import type { Retention } from "../../../shared/retention.ts";
import { SourceFormPage, type SourceFormValues } from "../../../templates/hosts/source_form.tsx";
import { SourcesPage, type SourcesProps } from "../../../templates/hosts/sources.tsx";
import type { Errors } from "../../../templates/parts/field.tsx";
import { getHost } from "../../hosts/find.ts";
import { JobWish, startJobs } from "../../jobs/start.ts";
import type { Server } from "../../server.ts";
import { SourceGroupWish } from "../../source_groups/fields.ts";
import { getSourceGroup, listSourceGroups, type SourceGroup } from "../../source_groups/find.ts";
import {
  changeSourceGroup,
  createSourceGroup,
  removeSourceGroup,
} from "../../source_groups/save.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { startMaintenance } from "../../maintenance/start.ts";
import { PreviewedRetention } from "../api/maintenance.ts";
import { attempt, type Form, linesOf, numberOf, readForm } from "./form.ts";
import { hostFrame } from "./hosts.ts";
import { frameOf, goTo, show, whereFrom } from "./page.ts";

export const sourcePageRoutes: Route[] = [
  { method: "POST", path: "/hosts/:id/jobs", role: "operator", handler: run },
  {
    method: "GET",
    path: "/hosts/:id/sources",
    role: "operator",
    handler: (server, c) => list(server, c),
  },
  { method: "GET", path: "/hosts/:id/sources/new", role: "operator", handler: showNew },
  { method: "POST", path: "/hosts/:id/sources/new", role: "operator", handler: create },
  { method: "GET", path: "/hosts/:id/sources/:gid", role: "operator", handler: showOne },
  { method: "POST", path: "/hosts/:id/sources/:gid", role: "operator", handler: change },
  { method: "POST", path: "/hosts/:id/sources/:gid/preview", role: "operator", handler: preview },
  { method: "POST", path: "/hosts/:id/sources/:gid/delete", role: "operator", handler: remove },
];

const KEEP = [
  "keep_last",
  "keep_hourly",
  "keep_daily",
  "keep_weekly",
  "keep_monthly",
  "keep_yearly",
] as const;

async function list(
  server: Server,
  c: Ctx,
  refused?: SourcesProps["refused"],
): Promise<Response> {
  const props = await hostFrame(server, c);
  const groups = await listSourceGroups(server, props.host.id);
  const page = SourcesPage({
    ...props,
    groups: groups.map((group) => ({
      id: group.id,
      name: group.name,
      includes: group.includes,
      excludes: group.excludes,
      retention: group.retention,
      retryMax: group.retry_max,
      retryBackoffSeconds: group.retry_backoff_seconds,
      lastRun: group.last_run && {
        jobId: group.last_run.job_id,
        at: group.last_run.at,
        status: group.last_run.status,
        warnings: group.last_run.warnings,
      },
    })),
    refused,
  });
  return show(c, page, refused ? 422 : 200);
}

/** Run now, open, measure, unlock: a form, or a lone button that says the rest in its address. */
async function run(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const groupId = form.text("source_group_id") || c.req.query("source_group_id") || undefined;
  const [upload, download] = [form.text("bandwidth_up_kbps"), form.text("bandwidth_down_kbps")];
  const { done, errors } = await attempt(
    JobWish,
    {
      kind: form.text("kind") || "backup",
      source_group_id: groupId,
      bandwidth_up_kbps: numberOf(upload),
      bandwidth_down_kbps: numberOf(download),
    },
    (wish) => startJobs(server, actorOf(c), hostId, wish),
  );
  if (errors) {
    const [field = "", text = "Nothing was started."] = Object.entries(errors)[0] ?? [];
    if (groupId && field.startsWith("bandwidth")) {
      return list(server, c, { groupId, field, message: text, upload, download });
    }
    return goTo(c, whereFrom(c, `/hosts/${hostId}`), { state: "warn", text });
  }
  if (done.length === 1) return goTo(c, `/jobs/${done[0]}`);
  return goTo(c, `/hosts/${hostId}/jobs`, { text: `${done.length} backups are started.` });
}

async function showNew(server: Server, c: Ctx): Promise<Response> {
  const defaults = SourceGroupWish.parse({ name: "new", includes: [] });
  const values = { ...valuesOf(defaults), name: "" };
  return await showForm(server, c, { group: null, values, errors: {} });
}

async function showOne(server: Server, c: Ctx): Promise<Response> {
  const group = await getSourceGroup(server, pathId(c, "id"), pathId(c, "gid"));
  return await showForm(server, c, { group, values: valuesOf(group), errors: {} });
}

async function create(server: Server, c: Ctx): Promise<Response> {
  const hostId = (await getHost(server, pathId(c, "id"))).id;
  const values = typed(await readForm(c));
  const { errors } = await attempt(
    SourceGroupWish,
    wishOf(values),
    (wish) => createSourceGroup(server, actorOf(c), hostId, wish),
  );
  if (errors) return await showForm(server, c, { group: null, values, errors: ofForm(errors) });
  return goTo(c, `/hosts/${hostId}/sources`, { text: "The source group is added." });
}

async function change(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const group = await getSourceGroup(server, hostId, pathId(c, "gid"));
  const values = typed(await readForm(c));
  const { errors } = await attempt(
    SourceGroupWish,
    wishOf(values),
    (wish) => changeSourceGroup(server, actorOf(c), hostId, group.id, wish),
  );
  if (errors) return await showForm(server, c, { group, values, errors: ofForm(errors) });
  return goTo(c, `/hosts/${hostId}/sources`, { text: "The changes are saved." });
}

/** A dry run of forget with what is typed, before it is saved. */
async function preview(server: Server, c: Ctx): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const group = await getSourceGroup(server, host.id, pathId(c, "gid"));
  const values = typed(await readForm(c));
  const { done, errors } = await attempt(
    z.object({ retention: PreviewedRetention }),
    { retention: wishOf(values).retention },
    ({ retention }) =>
      startMaintenance(server, actorOf(c), host.repository_id, {
        kind: "forget",
        hostId: host.id,
        request: { dry_run: true, preview: { source_group_id: group.id, retention } },
      }),
  );
  if (errors) return await showForm(server, c, { group, values, errors: ofForm(errors) });
  return goTo(c, `/jobs/${done.jobId}`);
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  await removeSourceGroup(server, actorOf(c), hostId, pathId(c, "gid"));
  return goTo(c, `/hosts/${hostId}/sources`, {
    text: "The source group is removed. Its snapshots stay in the repository.",
  });
}

async function showForm(
  server: Server,
  c: Ctx,
  form: { group: SourceGroup | null; values: SourceFormValues; errors: Errors },
): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const page = SourceFormPage({ frame: await frameOf(server, c), host, ...form });
  return show(c, page, Object.keys(form.errors).length > 0 ? 422 : 200);
}

function typed(form: Form): SourceFormValues {
  const names = [
    "name",
    "includes",
    "excludes",
    ...KEEP,
    "keep_within",
    "retry_max",
    "retry_backoff_seconds",
  ] as const;
  return Object.fromEntries(
    names.map((name) => [name, form.text(name)]),
  ) as unknown as SourceFormValues;
}

function wishOf(values: SourceFormValues) {
  return {
    name: values.name,
    includes: linesOf(values.includes),
    excludes: linesOf(values.excludes),
    retention: {
      ...Object.fromEntries(KEEP.map((name) => [name, numberOf(values[name])])),
      keep_within: values.keep_within.trim() || undefined,
    },
    retry_max: numberOf(values.retry_max),
    retry_backoff_seconds: numberOf(values.retry_backoff_seconds),
  };
}

function valuesOf(
  group: Pick<
    SourceGroup,
    "name" | "includes" | "excludes" | "retention" | "retry_max" | "retry_backoff_seconds"
  >,
): SourceFormValues {
  const keep = (name: keyof Retention) => String(group.retention[name] ?? "");
  return {
    name: group.name,
    includes: group.includes.join("\n"),
    excludes: group.excludes.join("\n"),
    keep_last: keep("keep_last"),
    keep_hourly: keep("keep_hourly"),
    keep_daily: keep("keep_daily"),
    keep_weekly: keep("keep_weekly"),
    keep_monthly: keep("keep_monthly"),
    keep_yearly: keep("keep_yearly"),
    keep_within: keep("keep_within"),
    retry_max: String(group.retry_max),
    retry_backoff_seconds: String(group.retry_backoff_seconds),
  };
}

/** "retention.keep_last must be …" stands under the field keep_last. */
function ofForm(errors: Errors): Errors {
  return Object.fromEntries(
    Object.entries(errors).map(([field, message]) => [
      field.replace(/^retention\./, ""),
      message?.replace(/^retention\./, ""),
    ]),
  );
}
