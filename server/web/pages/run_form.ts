// Forms that start jobs.
import type { RefusedRun } from "../../../templates/parts/limits.tsx";
import { JobInput, startJobs } from "../../jobs/start.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx } from "../context.ts";
import { attempt, type Form, numberOf, readForm } from "./form.ts";
import { goTo, whereFrom } from "./page.ts";

/**
 * Starts what a form says, or a lone button in its address. Limits that are refused are shown by `showRefused`, where the
 * form stands; whatever else is refused is said on the page that it came from.
 */
export async function startRun(
  server: Server,
  c: Ctx,
  showRefused?: (refused: RefusedRun) => Promise<Response>,
): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const given = (name: string) => form.text(name) || c.req.query(name) || undefined;
  const groupId = given("source_group_id");
  const scheduleId = given("schedule_id");
  const { done, errors } = await attempt(
    JobInput,
    {
      kind: form.text("kind") || "backup",
      source_group_id: groupId,
      schedule_id: scheduleId,
      ...limitsTyped(form),
    },
    (input) => startJobs(server, actorOf(c), hostId, input),
  );
  if (errors) {
    const refused = refusedRun(form, errors, scheduleId ?? groupId ?? "all");
    if (refused && showRefused) return await showRefused(refused);
    const [text = "Nothing was started."] = Object.values(errors);
    return goTo(c, whereFrom(c, `/hosts/${hostId}`), { state: "warn", text });
  }
  if (done.length === 1) return goTo(c, `/jobs/${done[0]}`);
  return goTo(c, `/hosts/${hostId}/jobs`, { text: `${done.length} backups are started.` });
}

/** This run's own limits, as typed. */
export function limitsTyped(form: Form) {
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
    bandwidth_up_kbps: form.text("bandwidth_up_kbps"),
    bandwidth_down_kbps: form.text("bandwidth_down_kbps"),
  };
}
