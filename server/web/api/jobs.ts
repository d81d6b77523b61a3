import { JOB_STATUSES } from "../../../shared/job.ts";
import { visible, visibleJson } from "../../../shared/redact.ts";
import { acceptJob } from "../../jobs/accept.ts";
import { cancelJob } from "../../jobs/cancel.ts";
import { getJob, getJobRow, type JobRow, listJobs } from "../../jobs/find.ts";
import { linesAfter } from "../../jobs/lines.ts";
import { JobInput, startJobs } from "../../jobs/start.ts";
import type { Server } from "../../server.ts";
import { pathId, readJson, readOneOf, readPage } from "../body.ts";
import { actorOf, type Ctx } from "../context.ts";
import { jobFeed, type JobFeedForm } from "../job_feed.ts";
import { isStillSignedIn } from "../security.ts";
import { eventStream } from "../sse.ts";
import { jobShape, lineShape, startedShape } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { Job, StartedJobs, type StoredLine } from "../../../shared/shapes/job.ts";
import { lastEventId } from "../last_event_id.ts";
import { JOB_KINDS } from "../../../shared/job_kinds/all.ts";

const JSON_FORM: JobFeedForm = {
  name: "json",
  lines: (lines) =>
    lines.map((line) => `id: ${line.line}\ndata: ${visibleJson(lineShape(line))}\n\n`).join(""),
  job: (job) => `event: job\ndata: ${visibleJson(jobShape(job))}\n\n`,
};

const PAGE = 1000;

export const jobRoutes: ApiRoute[] = [
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/jobs",
    role: "operator",
    summary: "Runs a job now; a backup without source_group_id runs every source group of the host",
    body: JobInput,
    response: { 202: StartedJobs },
    handler: async (server, c) => {
      const input = await readJson(c, JobInput);
      const ids = await startJobs(server, actorOf(c), pathId(c, "id"), input);
      const jobs = ids.map((id) => startedShape(c, id));
      return { ...jobs[0]!, jobs };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/jobs",
    role: "viewer",
    summary: "Jobs, the newest first",
    query: ["host", "repository", "kind", "status", "limit", "cursor"],
    response: { 200: listOf(Job) },
    handler: async (server, c) => {
      const { items, next_cursor } = await listJobs(server, {
        host: c.req.query("host"),
        repository: c.req.query("repository"),
        kind: readOneOf(c, "kind", JOB_KINDS),
        status: readOneOf(c, "status", JOB_STATUSES),
      }, readPage(c));
      return { items: items.map(jobShape), next_cursor };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/jobs/:id",
    role: "viewer",
    summary: "One job",
    response: { 200: Job },
    handler: async (server, c) => jobShape(await getJob(server, pathId(c, "id"))),
  }),
  apiRoute({
    method: "POST",
    path: "/api/jobs/:id/cancel",
    whenFull: true,
    role: "operator",
    summary: "Asks the host to end the job; 409 when it has ended",
    response: { 202: Job },
    handler: async (server, c) => {
      const id = pathId(c, "id");
      await cancelJob(server, actorOf(c), id);
      return jobShape(await getJob(server, id));
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/jobs/:id/accept",
    role: "operator",
    summary:
      "Says of a backup that saved nothing or far less than usual that this is right now: its snapshot counts for retention from then on",
    response: { 200: Job },
    handler: async (server, c) => {
      const id = pathId(c, "id");
      await acceptJob(server, actorOf(c), id);
      return jobShape(await getJob(server, id));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/jobs/:id/stream",
    role: "viewer",
    summary:
      "Server-sent events: each line (id = its number), `job` when its state changes, `end`; Last-Event-ID resumes",
    response: {
      200: {
        type: "text/event-stream",
        description:
          "The data of an event is JSON: a line of the log as in log.ndjson, for `job` a Job; for `end` its status, as text",
      },
    },
    handler: async (server, c) => {
      const job = await getJobRow(server, pathId(c, "id"));
      return eventStream(server, c, jobFeed(server, job, lastEventId(c), JSON_FORM));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/jobs/:id/log.txt",
    role: "viewer",
    summary: "The log as text, control characters made visible",
    response: { 200: { type: "text/plain", description: "One line for each line of the log" } },
    handler: async (server, c) => {
      const job = await getJobRow(server, pathId(c, "id"));
      return download(server, c, job, "text/plain; charset=utf-8", "txt", textLine);
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/jobs/:id/log.ndjson",
    role: "viewer",
    summary: "The log as one JSON object per line",
    response: {
      200: {
        type: "application/x-ndjson",
        description:
          "{n, at, stream, text} for each line of the log; n counts from 1 without a gap",
      },
    },
    handler: async (server, c) => {
      const job = await getJobRow(server, pathId(c, "id"));
      return download(
        server,
        c,
        job,
        "application/x-ndjson",
        "ndjson",
        (line) => `${visibleJson(lineShape(line))}\n`,
      );
    },
  }),
];

/** A line break within a line would let who wrote it make up lines of others. */
function textLine(line: StoredLine): string {
  const mark = line.stream === "stdout" ? "" : `[${line.stream}] `;
  return `${new Date(line.at).toISOString()} ${mark}${visible(line.text).replaceAll("\n", "␊")}\n`;
}

/** Streams the lines page by page, as fast as the reader takes them. */
function download(
  server: Server,
  c: Ctx,
  job: JobRow,
  type: string,
  extension: string,
  form: (line: StoredLine) => string,
): Response {
  let after = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!await isStillSignedIn(server, c)) return controller.error(new Error("signed out"));
      const lines = linesAfter(server, job.number, after, PAGE);
      if (lines.length > 0) {
        after = lines[lines.length - 1]!.line;
        controller.enqueue(new TextEncoder().encode(lines.map(form).join("")));
      }
      if (lines.length < PAGE) controller.close();
    },
  });
  return new Response(body, {
    headers: {
      "Content-Type": type,
      "Content-Disposition": `attachment; filename="job-${job.id}.${extension}"`,
    },
  });
}
