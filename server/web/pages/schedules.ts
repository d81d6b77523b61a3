// The Schedules tab of a host.
import { CronPreview, type CronPreviewProps } from "../../../templates/hosts/cron_preview.tsx";
import {
  ScheduleFormPage,
  type ScheduleFormProps,
} from "../../../templates/hosts/schedule_form.tsx";
import { SchedulesPage } from "../../../templates/hosts/schedules.tsx";
import type { RefusedRun } from "../../../templates/parts/limits.tsx";
import { AppError } from "../../errors.ts";
import { getHost } from "../../hosts/find.ts";
import { ScheduleInput } from "../../schedules/fields.ts";
import { getSchedule, listSchedules } from "../../schedules/find.ts";
import {
  changeSchedule,
  createSchedule,
  removeSchedule,
  setScheduleEnabled,
} from "../../schedules/save.ts";
import type { Server } from "../../server.ts";
import { listSourceGroups } from "../../source_groups/find.ts";
import { previewCron } from "../api/schedules.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, type Form, readForm } from "./form.ts";
import { hostFrame } from "./host_props.ts";
import { startRun } from "./run_form.ts";
import { frameOf, goTo, show } from "./page.ts";

export const schedulePageRoutes: Route[] = [
  { method: "GET", path: "/cron-preview", role: "viewer", handler: preview },
  {
    method: "GET",
    path: "/hosts/:id/schedules",
    role: "operator",
    handler: (server, c) => listOfSchedules(server, c),
  },
  // Where a refused form was shown: reloaded, it is the tab again.
  {
    method: "GET",
    path: "/hosts/:id/schedules/run",
    role: "operator",
    handler: async (server, c) => {
      const { id } = await getHost(server, pathId(c, "id"));
      return goTo(c, `/hosts/${id}/schedules`);
    },
  },
  {
    method: "POST",
    path: "/hosts/:id/schedules/run",
    role: "operator",
    handler: (server, c) => startRun(server, c, (refused) => listOfSchedules(server, c, refused)),
  },
  { method: "GET", path: "/hosts/:id/schedules/new", role: "operator", handler: showNew },
  { method: "POST", path: "/hosts/:id/schedules/new", role: "operator", handler: create },
  { method: "GET", path: "/hosts/:id/schedules/:sid", role: "operator", handler: showOne },
  { method: "POST", path: "/hosts/:id/schedules/:sid", role: "operator", handler: change },
  {
    method: "POST",
    path: "/hosts/:id/schedules/:sid/pause",
    role: "operator",
    handler: enable(false),
  },
  {
    method: "POST",
    path: "/hosts/:id/schedules/:sid/resume",
    role: "operator",
    handler: enable(true),
  },
  {
    method: "POST",
    path: "/hosts/:id/schedules/:sid/delete",
    whenFull: true,
    role: "operator",
    handler: remove,
  },
];

async function listOfSchedules(
  server: Server,
  c: Ctx,
  refused?: RefusedRun,
): Promise<Response> {
  const props = await hostFrame(server, c);
  const [schedules, groups] = await Promise.all([
    listSchedules(server, props.host.id),
    listSourceGroups(server, props.host.id),
  ]);
  return show(
    c,
    SchedulesPage({ ...props, schedules, hasGroups: groups.length > 0, refused }),
    refused ? 422 : 200,
  );
}

function preview(server: Server, c: Ctx): Response {
  const props = previewOf(server, c.req.query("cron") ?? "", c.req.query("time_zone") ?? "UTC");
  return c.html(`${CronPreview(props)}`);
}

function previewOf(server: Server, cron: string, timeZone: string): CronPreviewProps {
  if (cron.trim() === "") return { words: null, problem: null, next: [], timeZone };
  try {
    const { words, next } = previewCron(server, cron, timeZone);
    return { words, problem: null, next, timeZone };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { words: null, problem: error.message.replace(/^cron /, "It "), next: [], timeZone };
  }
}

type Values = ScheduleFormProps["values"];

async function showNew(server: Server, c: Ctx): Promise<Response> {
  const groups = await listSourceGroups(server, pathId(c, "id"));
  const ready = groups.filter((group) => group.includes.length > 0);
  const source_group_ids = ready.length === 1 ? [ready[0]!.id] : [];
  return await showForm(server, c, {
    scheduleId: null,
    values: { cron: "0 3 * * *", enabled: true, source_group_ids },
    errors: {},
  });
}

async function showOne(server: Server, c: Ctx): Promise<Response> {
  const schedule = await getSchedule(server, pathId(c, "id"), pathId(c, "sid"));
  return await showForm(server, c, { scheduleId: schedule.id, values: schedule, errors: {} });
}

async function create(server: Server, c: Ctx): Promise<Response> {
  const { id: hostId } = await getHost(server, pathId(c, "id"));
  const values = typed(await readForm(c));
  const { errors } = await attempt(
    ScheduleInput,
    values,
    (input) => createSchedule(server, actorOf(c), hostId, input),
  );
  if (errors) return await showForm(server, c, { scheduleId: null, values, errors });
  return goTo(c, `/hosts/${hostId}/schedules`, { text: "The schedule is added." });
}

async function change(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const { id: scheduleId } = await getSchedule(server, hostId, pathId(c, "sid"));
  const values = typed(await readForm(c));
  const { errors } = await attempt(
    ScheduleInput,
    values,
    (input) => changeSchedule(server, actorOf(c), { hostId, id: scheduleId }, input),
  );
  if (errors) return await showForm(server, c, { scheduleId, values, errors });
  return goTo(c, `/hosts/${hostId}/schedules`, { text: "The changes are saved." });
}

function enable(enabled: boolean) {
  return async (server: Server, c: Ctx): Promise<Response> => {
    const hostId = pathId(c, "id");
    await setScheduleEnabled(server, actorOf(c), { hostId, id: pathId(c, "sid") }, enabled);
    return goTo(c, `/hosts/${hostId}/schedules`, {
      text: enabled ? "The schedule runs again." : "The schedule is paused.",
    });
  };
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  await removeSchedule(server, actorOf(c), { hostId, id: pathId(c, "sid") });
  return goTo(c, `/hosts/${hostId}/schedules`, { text: "The schedule is removed." });
}

async function showForm(
  server: Server,
  c: Ctx,
  form: Pick<ScheduleFormProps, "scheduleId" | "values" | "errors">,
): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const groups = await listSourceGroups(server, host.id);
  const page = ScheduleFormPage({
    frame: await frameOf(server, c),
    host,
    groups,
    preview: previewOf(server, form.values.cron, host.time_zone),
    ...form,
  });
  return show(c, page, Object.keys(form.errors).length > 0 ? 422 : 200);
}

function typed(form: Form): Values {
  return {
    cron: form.text("cron"),
    enabled: form.ticked("enabled"),
    source_group_ids: form.all("source_group_ids"),
  };
}
