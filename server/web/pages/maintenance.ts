// Maintenance and the admin credential on a repository's page.
import { limitsOf } from "../../../shared/bandwidth.ts";
import { setAdminCredential } from "../../maintenance/admin_credential.ts";
import { changeMaintenance } from "../../maintenance/change.ts";
import { AdminCredentialInput, MaintenanceInput } from "../../maintenance/fields.ts";
import { ReleaseInput, releaseLease } from "../../jobs/release_lease.ts";
import { startMaintenance } from "../../maintenance/start.ts";
import { getRepository } from "../../repositories/find.ts";
import { secretWarnings, warningFlash } from "../../repositories/secret_warnings.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, type Form, readForm } from "./form.ts";
import { goTo } from "./page.ts";
import { showRefused } from "./show_repository.ts";
import { limitsTyped, refusedRun } from "./run_form.ts";
import { RepositoryJobInput } from "../../maintenance/start_fields.ts";
import { wantsAllRemoved } from "../../jobs/remove_all_input.ts";

export const maintenancePageRoutes: Route[] = [
  { method: "POST", path: "/repositories/:id/jobs", role: "operator", handler: run },
  { method: "POST", path: "/repositories/:id/maintenance", role: "operator", handler: change },
  {
    method: "POST",
    path: "/repositories/:id/maintenance-hosts",
    role: "admin",
    handler: nameHosts,
  },
  {
    method: "POST",
    path: "/repositories/:id/admin-credential",
    role: "admin",
    handler: setCredential,
  },
  {
    method: "POST",
    path: "/repositories/:id/lease/release",
    whenFull: true,
    role: "admin",
    handler: release,
  },
  {
    method: "POST",
    path: "/repositories/:id/admin-credential/delete",
    whenFull: true,
    role: "admin",
    handler: removeCredential,
  },
];

async function nameHosts(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const host_ids = (await readForm(c)).all("host_ids");
  const { errors } = await attempt(
    MaintenanceInput,
    { host_ids },
    (input) => changeMaintenance(server, actorOf(c), id, input),
  );
  if (errors) return await showRefused(server, c, id, { errors });
  return goTo(c, `/repositories/${id}#holders`, { text: "The changes are saved." });
}

async function release(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const typed = (await readForm(c)).text("confirm_hostname").trim();
  const { errors } = await attempt(
    ReleaseInput,
    { confirm_hostname: typed },
    (input) => releaseLease(server, actorOf(c), id, input.confirm_hostname),
  );
  if (errors) return await showRefused(server, c, id, { release: { typed, errors } });
  return goTo(c, `/repositories/${id}#maintenance`, { text: "The lease is released." });
}

async function run(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const { done, errors } = await attempt(
    RepositoryJobInput,
    {
      kind: form.text("kind"),
      ...limitsTyped(form),
      ...(form.ticked("remove_all")
        ? { remove_all: true, confirm_hostname: form.text("confirm_hostname").trim() }
        : {}),
    },
    ({ kind, ...input }) =>
      startMaintenance(server, actorOf(c), id, {
        kind,
        ...(wantsAllRemoved(actorOf(c), { kind, ...input })
          ? { removeAllOf: input.confirm_hostname }
          : {}),
        limits: limitsOf(input),
        // A person has read how many would go and agreed.
        ...(c.req.query("may_drop_most") === "true" ? { request: { may_drop_most: true } } : {}),
      }),
  );
  if (!errors) return goTo(c, `/jobs/${done.jobId}`);
  if (form.ticked("remove_all")) {
    const unlock = { typed: form.text("confirm_hostname"), errors };
    return await showRefused(server, c, id, { unlock });
  }
  const refused = refusedRun(form, errors, form.text("kind"));
  if (refused) return await showRefused(server, c, id, { refused });
  const [text = "Nothing was started."] = Object.values(errors);
  return goTo(c, `/repositories/${id}`, { state: "warn", text });
}

async function change(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const percent = form.text("check.read_data_percent").trim();
  const { errors } = await attempt(
    MaintenanceInput,
    {
      forget: taskOf(form, "forget"),
      prune: taskOf(form, "prune"),
      check: {
        ...taskOf(form, "check"),
        read_data_percent: percent === "" ? 0 : Number(percent),
      },
    },
    (input) => changeMaintenance(server, actorOf(c), id, input),
  );
  if (errors) return await showRefused(server, c, id, { values: typedIn(form), errors });
  return goTo(c, `/repositories/${id}`, { text: "The changes are saved." });
}

async function setCredential(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const { errors } = await attempt(
    AdminCredentialInput,
    {
      everyday: form.ticked("everyday"),
      username: form.text("username").trim(),
      ...(form.text("rest_password") ? { rest_password: form.text("rest_password") } : {}),
    },
    (input) => setAdminCredential(server, actorOf(c), id, input),
  );
  if (errors) {
    return await showRefused(server, c, id, {
      values: { username: form.text("username") },
      errors,
    });
  }
  const { name, url } = await getRepository(server, id);
  const rest_password = form.text("rest_password");
  const warnings = secretWarnings({ name, url, username: form.text("username"), rest_password });
  return goTo(
    c,
    `/repositories/${id}`,
    warningFlash("The admin credential is saved.", warnings),
  );
}

async function removeCredential(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  await setAdminCredential(server, actorOf(c), id, {});
  return goTo(c, `/repositories/${id}`, { text: "The admin credential is removed." });
}

function taskOf(form: Form, kind: string) {
  return { enabled: form.ticked(`${kind}.enabled`), cron: form.text(`${kind}.cron`) };
}

function typedIn(form: Form): Record<string, string> {
  return Object.fromEntries(
    [
      "forget.enabled",
      "forget.cron",
      "prune.enabled",
      "prune.cron",
      "check.enabled",
      "check.cron",
      "check.read_data_percent",
    ]
      .map((name) => [name, form.text(name)]),
  );
}
