import { JOB_STATUSES } from "../../../shared/job.ts";
import { JobListPage } from "../../../templates/jobs/list.tsx";
import { LogRows } from "../../../templates/jobs/log.tsx";
import { JobPage } from "../../../templates/jobs/page.tsx";
import { hostNames } from "../../hosts/names.ts";
import { getHost } from "../../hosts/find.ts";
import { acceptJob } from "../../jobs/accept.ts";
import { cancelJob } from "../../jobs/cancel.ts";
import { getJob, getJobRow, listJobs } from "../../jobs/find.ts";
import { lastLineNumber, linesBefore } from "../../jobs/lines.ts";
import type { Server } from "../../server.ts";
import { pathId, readOneOf, readPage } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attemptTo } from "./form.ts";
import { jobView } from "./job_props.ts";
import { frameOf, goTo, isAdmin, mayRun, show } from "./page.ts";
import { JOB_KINDS } from "../../../shared/job_kinds/all.ts";
import type { StoredLine } from "../../../shared/shapes/job.ts";

export const jobPageRoutes: Route[] = [
  { method: "GET", path: "/jobs", role: "viewer", handler: list },
  { method: "GET", path: "/jobs/:id", role: "viewer", handler: job },
  { method: "GET", path: "/jobs/:id/lines", role: "viewer", handler: earlierLines },
  { method: "POST", path: "/jobs/:id/cancel", whenFull: true, role: "operator", handler: cancel },
  { method: "POST", path: "/jobs/:id/accept", role: "operator", handler: accept },
];

/** Lines that come with the page: a few screens; the rest is a click away. */
const LINES = { count: 250, bytes: 48_000 };
const EARLIER_LINES = { count: 1000, bytes: 500_000 };
/** With more hosts a choice of all of them would be most of the page; a host's own page leads to its jobs. */
const HOSTS_IN_FILTER = 100;

async function list(server: Server, c: Ctx): Promise<Response> {
  const filter = {
    host: c.req.query("host") || undefined,
    kind: readOneOf(c, "kind", JOB_KINDS),
    status: readOneOf(c, "status", JOB_STATUSES),
  };
  const { items, next_cursor } = await listJobs(server, filter, readPage(c, 50));
  return show(
    c,
    JobListPage({
      frame: await frameOf(server, c),
      jobs: items,
      filter: { host: filter.host ?? "", kind: filter.kind ?? "", status: filter.status ?? "" },
      hosts: await filterHosts(server, filter.host),
      nextCursor: next_cursor,
      isFirstPage: !c.req.query("cursor"),
    }),
  );
}

async function filterHosts(server: Server, chosen: string | undefined) {
  const hosts = await hostNames(server, HOSTS_IN_FILTER + 1);
  if (hosts.length <= HOSTS_IN_FILTER) return hosts;
  if (!chosen) return [];
  const { id, name } = await getHost(server, chosen);
  return [{ id, name }];
}

async function job(server: Server, c: Ctx): Promise<Response> {
  const found = await getJob(server, pathId(c, "id"));
  const total = lastLineNumber(server, found.number);
  const before = beforeLine(c);
  return show(
    c,
    JobPage({
      frame: await frameOf(server, c),
      job: await jobView(server, found),
      lines: lastLines(server, found.number, before ?? total + 1, LINES),
      totalLines: total,
      isPast: before !== null,
      mayCancel: mayRun(c),
      mayRun: mayRun(c),
      isAdmin: isAdmin(c),
    }),
  );
}

/** The last lines before one, as many as fit: a single line may be longer than a page. At least one if there is one. */
function lastLines(
  server: Server,
  jobNumber: number,
  before: number,
  limit: typeof LINES,
): StoredLine[] {
  const lines = linesBefore(server, jobNumber, before, limit.count);
  let left = limit.bytes;
  const first = lines.findLastIndex((line) => {
    left -= encoder.encode(`${LogRows({ lines: [line] })}`).length;
    return left < 0;
  });
  return lines.slice(Math.min(first + 1, lines.length - 1));
}
const encoder = new TextEncoder();

/** The rows alone, for "Load earlier lines". */
async function earlierLines(server: Server, c: Ctx): Promise<Response> {
  const { number } = await getJobRow(server, pathId(c, "id"));
  const lines = lastLines(server, number, beforeLine(c) ?? 1, EARLIER_LINES);
  return c.html(`${LogRows({ lines })}`);
}

function beforeLine(c: Ctx): number | null {
  const number = Number(c.req.query("before"));
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

async function accept(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const { errors } = await attemptTo(() => acceptJob(server, actorOf(c), id));
  const [text = "It is accepted: its snapshot counts for retention."] = Object.values(errors ?? {});
  return goTo(c, `/jobs/${id}`, { state: errors ? "warn" : "ok", text });
}

async function cancel(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const { errors } = await attemptTo(() => cancelJob(server, actorOf(c), id));
  return goTo(
    c,
    `/jobs/${id}`,
    errors && { state: "warn", text: Object.values(errors)[0] ?? "It was not cancelled." },
  );
}
