// Every button of a host that starts a job.
import type { RefusedRun } from "../../../templates/parts/limits.tsx";
import { JobWish, startJobs } from "../../jobs/start.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, type Form, numberOf, readForm } from "./form.ts";
import { goTo, whereFrom } from "./page.ts";
import { listOfSchedules } from "./schedules.ts";
import { listSources } from "./sources.ts";

export const runPageRoutes: Route[] = [
  { method: "POST", path: "/hosts/:id/jobs", role: "operator", handler: run },
];

/** A form, or a lone button that says the rest in its address. */
async function run(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const given = (name: string) => form.text(name) || c.req.query(name) || undefined;
  const groupId = given("source_group_id");
  const scheduleId = given("schedule_id");
  const { done, errors } = await attempt(
    JobWish,
    {
      kind: form.text("kind") || "backup",
      source_group_id: groupId,
      schedule_id: scheduleId,
      ...limitsOf(form),
    },
    (wish) => startJobs(server, actorOf(c), hostId, wish),
  );
  if (errors) {
    const refused = refusedRun(form, errors, scheduleId ?? groupId ?? "all");
    if (refused && form.text("from") === "sources") return listSources(server, c, refused);
    if (refused && form.text("from") === "schedules") return listOfSchedules(server, c, refused);
    const [text = "Nothing was started."] = Object.values(errors);
    return goTo(c, whereFrom(c, `/hosts/${hostId}`), { state: "warn", text });
  }
  if (done.length === 1) return goTo(c, `/jobs/${done[0]}`);
  return goTo(c, `/hosts/${hostId}/jobs`, { text: `${done.length} backups are started.` });
}

/** This run's own caps, as typed. */
export function limitsOf(form: Form) {
  return {
    bandwidth_up_kbps: numberOf(form.text("bandwidth_up_kbps")),
    bandwidth_down_kbps: numberOf(form.text("bandwidth_down_kbps")),
  };
}

/** undefined when the numbers were not the reason. */
export function refusedRun(
  form: Form,
  errors: Record<string, string | undefined>,
  what: string,
): RefusedRun | undefined {
  const [field = "", message = ""] = Object.entries(errors)[0] ?? [];
  if (!field.startsWith("bandwidth")) return undefined;
  return {
    what,
    field,
    message,
    upload: form.text("bandwidth_up_kbps"),
    download: form.text("bandwidth_down_kbps"),
  };
}
