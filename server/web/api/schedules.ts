import { z } from "zod";
import { cronInWords, nextRuns } from "../../../shared/cron.ts";
import { cron, timeZone } from "../../../shared/fields.ts";
import { getHost } from "../../hosts/find.ts";
import { ScheduleInput } from "../../schedules/fields.ts";
import { getSchedule, listSchedules } from "../../schedules/find.ts";
import { changeSchedule, createSchedule, removeSchedule } from "../../schedules/save.ts";
import type { Server } from "../../server.ts";
import { parse, pathId, readJson } from "../body.ts";
import { actorOf } from "../context.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { CronPreview, Schedule } from "../../../shared/shapes/schedule.ts";

const SHOWN = 5;

/** What an expression means, while it is typed. Throws invalid. */
export function previewCron(server: Server, text: string, zone: string): CronPreview {
  const input = parse(z.object({ cron, time_zone: timeZone }), { cron: text, time_zone: zone });
  return {
    cron: input.cron,
    words: cronInWords(input.cron),
    next: nextRuns(input.cron, server.now(), SHOWN, input.time_zone),
  };
}

export const scheduleRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/cron-preview",
    role: "viewer",
    summary: "A cron expression in words, with its next five fire times",
    query: ["cron", "time_zone"],
    response: { 200: CronPreview },
    handler: (server, c) => {
      const { next, ...shown } = previewCron(
        server,
        c.req.query("cron") ?? "",
        c.req.query("time_zone") || "UTC",
      );
      return { ...shown, next: next.map((at) => new Date(at).toISOString()) };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/schedules",
    role: "operator",
    summary: "When a host is backed up, each schedule with its next and last run",
    response: { 200: listOf(Schedule) },
    handler: async (server, c) => {
      const { id } = await getHost(server, pathId(c, "id"));
      const items = withIsoTimes(await listSchedules(server, id));
      return { items, next_cursor: null };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/schedules",
    role: "operator",
    summary: "Adds a schedule; the host's own clock keeps it, in the host's time zone",
    body: ScheduleInput,
    response: { 201: Schedule },
    handler: async (server, c) => {
      const host = await getHost(server, pathId(c, "id"));
      const input = await readJson(c, ScheduleInput);
      const { id } = await createSchedule(server, actorOf(c), host.id, input);
      return withIsoTimes(await getSchedule(server, host.id, id));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/schedules/:sid",
    role: "operator",
    summary: "One schedule",
    response: { 200: Schedule },
    handler: async (server, c) =>
      withIsoTimes(await getSchedule(server, pathId(c, "id"), pathId(c, "sid"))),
  }),
  apiRoute({
    method: "PUT",
    path: "/api/hosts/:id/schedules/:sid",
    role: "operator",
    summary: "Replaces a schedule",
    body: ScheduleInput,
    response: { 200: Schedule },
    handler: async (server, c) => {
      const [hostId, id] = [pathId(c, "id"), pathId(c, "sid")];
      await changeSchedule(server, actorOf(c), { hostId, id }, await readJson(c, ScheduleInput));
      return withIsoTimes(await getSchedule(server, hostId, id));
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/hosts/:id/schedules/:sid",
    role: "operator",
    summary: "Removes a schedule; its jobs stay",
    response: { 204: null },
    handler: async (server, c) => {
      await removeSchedule(server, actorOf(c), { hostId: pathId(c, "id"), id: pathId(c, "sid") });
    },
  }),
];
