// The live streams of the list of jobs and of one job.
import type { Child } from "hono/jsx";
import { Notice } from "../../../templates/layout.tsx";
import { LogRows } from "../../../templates/jobs/log.tsx";
import { JobOutcome, JobProgress, JobState } from "../../../templates/jobs/page.tsx";
import type { Role } from "../../database/tables.ts";
import { getJobRow } from "../../jobs/find.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import { type Ctx, type Route, userOf } from "../context.ts";
import { jobFeed, type JobFeedForm } from "../job_feed.ts";
import { lastEventId } from "../last_event_id.ts";
import { watching } from "../live.ts";
import { eventStream } from "../sse.ts";
import { jobView } from "./job_props.ts";
import { fleetState, frameFragments } from "./live_frame.ts";
import { jobRows } from "./live_job_rows.ts";
import { noticeText } from "./page.ts";

export const liveJobRoutes: Route[] = [
  { method: "GET", path: "/live/jobs", role: "viewer", handler: jobs },
  { method: "GET", path: "/live/jobs/:id", role: "viewer", handler: job },
];

function jobs(server: Server, c: Ctx): Response {
  const jobIds = new Set<string>();
  return watching(server, c, {
    topics: ["fleet"],
    note: (event) => {
      if (event.type === "job") jobIds.add(event.jobId);
      return event.type !== "progress";
    },
    show: () => Promise.all([...jobRows(server, jobIds, false), ...frameFragments(server)]),
  });
}

/** One form a role and no more: a batch of lines is turned into text once per form, however many browsers watch. */
const jobForms = new WeakMap<Server, Record<Role, JobFeedForm>>();

function jobForm(server: Server, role: Role): JobFeedForm {
  const forms = jobForms.get(server) ?? {
    admin: form(server, "admin"),
    operator: form(server, "operator"),
    viewer: form(server, "viewer"),
  };
  jobForms.set(server, forms);
  return forms[role];
}

function form(server: Server, role: Role): JobFeedForm {
  const may = role !== "viewer";
  return {
    name: role,
    lines: (lines) =>
      `event: lines\nid: ${lines.at(-1)!.line}\n${dataOf(`${LogRows({ lines })}`)}\n\n`,
    job: async (found) => {
      const view = await jobView(server, found);
      const parts: Child[] = [
        JobState({ job: view, now: server.now(), mayCancel: may }),
        JobProgress({ job: view }),
        JobOutcome({ job: view, mayRun: may, isAdmin: role === "admin" }),
        await fleetState(server),
        Notice({ text: noticeText(server) }),
      ];
      return parts.map((part) => `event: fragment\n${dataOf(`${part}`)}\n\n`).join("");
    },
  };
}

function dataOf(html: string): string {
  return `data: ${html.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}`;
}

async function job(server: Server, c: Ctx): Promise<Response> {
  const row = await getJobRow(server, pathId(c, "id"));
  return eventStream(
    server,
    c,
    jobFeed(server, row, lastEventId(c), jobForm(server, userOf(c).role)),
  );
}
