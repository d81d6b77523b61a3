// The pages of one host and what its buttons do.
import { z } from "zod";
import type { HookField } from "../../../templates/hosts/hooks.tsx";
import { AddHostDonePage } from "../../../templates/hosts/add_done.tsx";
import type { ApprovalsProps } from "../../../templates/hosts/approvals.tsx";
import { HostJobsPage } from "../../../templates/hosts/jobs.tsx";
import {
  HostRepositoryPage,
  type HostRepositoryProps,
  type WindowValues,
} from "../../../templates/hosts/repository.tsx";
import { HostSettingsPage, type HostSettingsProps } from "../../../templates/hosts/settings.tsx";
import { SnapshotsPage } from "../../../templates/hosts/snapshots.tsx";
import type { Errors } from "../../../templates/parts/field.tsx";
import { HOOK_NAMES } from "../../../shared/hooks.ts";
import { hostName, id, tags, timeZone } from "../../../shared/fields.ts";
import { missingFiles } from "../../downloads/files.ts";
import { joinCommands } from "../../enrolment/join_commands.ts";
import { createRejoinToken } from "../../enrolment/rejoin_token.ts";
import { BandwidthInput, setBandwidth } from "../../hosts/bandwidth.ts";
import { changeHost, HostChange } from "../../hosts/change.ts";
import { DefaultHooksInput, getDefaultHooks, setDefaultHooks } from "../../hooks/defaults.ts";
import { getHost, type Host } from "../../hosts/find.ts";
import { chooseInstance, InstanceChoice, listInstances } from "../../hosts/choose_instance.ts";
import { dismissAgentProblems } from "../../hosts/agent_problems.ts";
import { resumeHost } from "../../hosts/resume.ts";
import { listJobs } from "../../jobs/find.ts";
import { reinitialise } from "../../jobs/reinitialise.ts";
import type { Server } from "../../server.ts";
import { pathId, readPage } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, attemptTo, type Form, linesOf, numberOf, readForm, tagsOf } from "./form.ts";
import { hostSnapshots } from "./snapshot_rows.ts";
import { frameOf, goTo, isAdmin, show, whereFrom } from "./page.ts";
import { formInput, formValues, typedValues } from "./schema_form.ts";
import { repositoryChoices } from "./repository_choice.ts";
import { repositoryView } from "./repository_props.ts";
import { hostFrame } from "./host_props.ts";
import { testHook, TestHookInput } from "../../jobs/test_hook.ts";
import { HostSnapshotsChoice, removeHost } from "../../retention/remove_host.ts";
import type { DefaultHooks } from "../../../shared/shapes/hooks.ts";

export const hostPageRoutes: Route[] = [
  { method: "GET", path: "/hosts/:id", role: "viewer", handler: snapshots },
  {
    method: "GET",
    path: "/hosts/:id/repository",
    role: "operator",
    handler: (server, c) => repository(server, c),
  },
  { method: "POST", path: "/hosts/:id/bandwidth", role: "operator", handler: bandwidth },
  { method: "POST", path: "/hosts/:id/hooks", role: "admin", handler: hooks },
  { method: "POST", path: "/hosts/:id/hooks/try", role: "admin", handler: tryOne },
  { method: "POST", path: "/hosts/:id/repo/reinit", role: "admin", handler: reinit },
  { method: "GET", path: "/hosts/:id/jobs", role: "viewer", handler: jobs },
  {
    method: "GET",
    path: "/hosts/:id/settings",
    role: "operator",
    handler: (server, c) => settings(server, c),
  },
  { method: "POST", path: "/hosts/:id/settings", role: "operator", handler: change },
  { method: "POST", path: "/hosts/:id/approvals", role: "admin", handler: approve },
  { method: "POST", path: "/hosts/:id/machines", role: "admin", handler: chooseMachine },
  { method: "POST", path: "/hosts/:id/resume", role: "operator", handler: resume },
  { method: "POST", path: "/hosts/:id/problems/dismiss", role: "operator", handler: dismiss },
  { method: "POST", path: "/hosts/:id/rejoin-token", role: "admin", handler: rejoin },
  { method: "POST", path: "/hosts/:id/delete", whenFull: true, role: "admin", handler: remove },
];

async function snapshots(server: Server, c: Ctx): Promise<Response> {
  const props = await hostFrame(server, c);
  const { items, next_cursor, ...list } = await hostSnapshots(
    server,
    props.host,
    c.req.query("cursor") || null,
  );
  return show(
    c,
    SnapshotsPage({
      ...props,
      ...list,
      snapshots: items,
      nextCursor: next_cursor,
      isFirstPage: !c.req.query("cursor"),
    }),
  );
}

async function repository(
  server: Server,
  c: Ctx,
  changes: Partial<HostRepositoryProps> = {},
  status = 200,
): Promise<Response> {
  const props = await hostFrame(server, c);
  const { host } = props;
  const view = await repositoryView(server, host.repository_id);
  const page = HostRepositoryPage({
    ...props,
    repository: view,
    limits: formValues(Limits, host),
    windows: [
      ...host.bandwidth_windows.map((window) => ({
        days: window.days.join(","),
        from: window.from,
        to: window.to,
        bandwidth_up_kbps: String(window.bandwidth_up_kbps ?? ""),
        bandwidth_down_kbps: String(window.bandwidth_down_kbps ?? ""),
      })),
      BLANK_WINDOW,
    ],
    limitErrors: {},
    ...defaultHookProps(await getDefaultHooks(server, host.id)),
    hookErrors: {},
    isAdmin: isAdmin(c),
    reinitName: "",
    reinitErrors: {},
    ...changes,
  });
  return show(c, page, status);
}

async function bandwidth(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const limits = typedValues(Limits, form);
  const windows = windowsOf(form);
  const { errors } = await attempt(
    BandwidthInput,
    {
      ...formInput(Limits, limits),
      windows: windows.map((window) => ({
        days: window.days.split(","),
        from: window.from.trim(),
        to: window.to.trim(),
        bandwidth_up_kbps: numberOf(window.bandwidth_up_kbps) ?? null,
        bandwidth_down_kbps: numberOf(window.bandwidth_down_kbps) ?? null,
      })),
    },
    (input) => setBandwidth(server, actorOf(c), hostId, input),
  );
  if (errors) {
    const typed = { limits, windows: [...windows, BLANK_WINDOW], limitErrors: errors };
    return repository(server, c, typed, 422);
  }
  return goTo(c, `/hosts/${hostId}/repository`, { text: "The limits are saved." });
}

/** What holds at all hours. */
const Limits = BandwidthInput.omit({ windows: true });

const BLANK_WINDOW: WindowValues = {
  days: "",
  from: "",
  to: "",
  bandwidth_up_kbps: "",
  bandwidth_down_kbps: "",
};

/** Rows without days do not count. */
function windowsOf(form: Form): WindowValues[] {
  const rows: WindowValues[] = [];
  for (let n = 0; form.has(`windows.${n}.days`); n++) {
    const field = (name: keyof WindowValues) => form.text(`windows.${n}.${name}`);
    rows.push({
      days: field("days"),
      from: field("from"),
      to: field("to"),
      bandwidth_up_kbps: field("bandwidth_up_kbps"),
      bandwidth_down_kbps: field("bandwidth_down_kbps"),
    });
  }
  return rows.filter(({ days }) => days !== "");
}

function defaultHookProps(stored: DefaultHooks) {
  const { hook_stop_at_error_default } = stored;
  return { hooks: defaultHookFields(stored), hook_stop_at_error_default };
}

function defaultHookFields(
  stored: DefaultHooks,
  typed?: Record<string, string>,
  errors: Errors = {},
): HookField[] {
  return HOOK_NAMES.map((hook) => {
    const name = `${hook}_default` as const;
    const cannotDecrypt = stored.cannot_decrypt.includes(name);
    const text = stored[name];
    return {
      hook,
      name,
      value: typed?.[name] ?? text ?? "",
      error: errors[name],
      cannotDecrypt,
      inForce: text === null && !cannotDecrypt ? null : { from: "host", text },
    };
  });
}

async function hooks(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const typed = {
    pre_hook_default: form.text("pre_hook_default"),
    post_hook_default: form.text("post_hook_default"),
  };
  const hook_stop_at_error_default = form.ticked("hook_stop_at_error_default");
  const { errors } = await attempt(
    DefaultHooksInput,
    { ...typed, hook_stop_at_error_default },
    (input) => setDefaultHooks(server, actorOf(c), hostId, input),
  );
  if (errors) {
    const fields = defaultHookFields(await getDefaultHooks(server, hostId), typed, errors);
    const changes = { hooks: fields, hook_stop_at_error_default };
    return repository(server, c, { ...changes, hookErrors: errors }, 422);
  }
  return goTo(c, `/hosts/${hostId}/repository#hooks`, { text: "The hooks are saved." });
}

async function tryOne(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const { done, errors } = await attempt(
    TestHookInput,
    { hook: form.text("hook"), source_group_id: c.req.query("source_group_id") },
    (input) => testHook(server, actorOf(c), hostId, input),
  );
  if (!errors) return goTo(c, `/jobs/${done}`);
  const [text = "Nothing was started."] = Object.values(errors);
  return goTo(c, whereFrom(c, `/hosts/${hostId}/repository`), { state: "warn", text });
}

async function reinit(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const name = (await readForm(c)).text("confirm_hostname").trim();
  const { done, errors } = await attemptTo(() => reinitialise(server, actorOf(c), hostId, name));
  if (errors) return repository(server, c, { reinitName: name, reinitErrors: errors }, 400);
  return goTo(c, `/jobs/${done}`);
}

async function jobs(server: Server, c: Ctx): Promise<Response> {
  const props = await hostFrame(server, c);
  const { items, next_cursor } = await listJobs(
    server,
    { host: props.host.id },
    readPage(c, 50),
  );
  return show(
    c,
    HostJobsPage({
      ...props,
      jobs: items,
      nextCursor: next_cursor,
      isFirstPage: !c.req.query("cursor"),
    }),
  );
}

async function settings(
  server: Server,
  c: Ctx,
  changes: Partial<HostSettingsProps> = {},
  status = 200,
): Promise<Response> {
  const props = await hostFrame(server, c);
  const { host } = props;
  return show(
    c,
    HostSettingsPage({
      ...props,
      values: {
        name: host.name,
        tags: host.tags.join(" "),
        time_zone: host.time_zone,
        repository_id: host.repository_id,
      },
      errors: {},
      repositories: await repositoryChoices(server, c, [host.repository_id]),
      approvals: await approvalsProps(server, c, host),
      machines: await listInstances(server, host.id),
      mayDelete: isAdmin(c),
      deleteErrors: {},
      ...changes,
    }),
    status,
  );
}

/** A fleet may have hundreds of repositories: of those that are not approved the first by name. */
const OFFERED = 10;

async function approvalsProps(server: Server, c: Ctx, host: Host): Promise<ApprovalsProps> {
  const all = await repositoryChoices(server, c, host.approved_repository_ids);
  const isApproved = ({ id }: { id: string }) => host.approved_repository_ids.includes(id);
  const approved = all.filter(isApproved);
  const others = all.filter((each) => !isApproved(each));
  return {
    roots: host.approved_roots.join("\n"),
    hiddenRepositories: Math.max(0, others.length - OFFERED),
    repositories: [...approved, ...others.slice(0, OFFERED)].map((each) => ({
      id: each.id,
      name: each.name,
      isApproved: isApproved(each),
      isBound: each.id === host.repository_id,
    })),
    mayChange: isAdmin(c),
    errors: {},
  };
}

async function chooseMachine(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const instance_id = (await readForm(c)).text("instance_id");
  const { errors } = await attempt(
    InstanceChoice,
    { instance_id },
    (choice) => chooseInstance(server, actorOf(c), hostId, choice),
  );
  const text = errors
    ? Object.values(errors)[0]!
    : "Noted. It gets its new credential now, or when it connects.";
  return goTo(c, `/hosts/${hostId}/settings`, { state: errors ? "warn" : "ok", text });
}

async function approve(server: Server, c: Ctx): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const form = await readForm(c);
  const approved_roots = linesOf(form.text("approved_roots"));
  const { errors } = await attempt(
    HostChange,
    { approved_roots, approved_repository_ids: form.all("approved_repository_ids") },
    (input) => changeHost(server, actorOf(c), host.id, input),
  );
  if (errors) {
    const shown = await approvalsProps(server, c, host);
    const approvals = { ...shown, roots: form.text("approved_roots"), errors };
    return settings(server, c, { approvals }, 422);
  }
  return goTo(c, `/hosts/${host.id}/settings#approvals`, { text: "The changes are saved." });
}

const SettingsForm = z.object({ name: hostName, tags, time_zone: timeZone, repository_id: id });

async function change(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const form = await readForm(c);
  const values = {
    name: form.text("name"),
    tags: form.text("tags"),
    time_zone: form.text("time_zone").trim(),
    repository_id: form.text("repository_id"),
  };
  const { errors } = await attempt(
    SettingsForm,
    { ...values, tags: tagsOf(values.tags) },
    (input) => changeHost(server, actorOf(c), hostId, input),
  );
  if (errors) return settings(server, c, { values, errors }, 422);
  return goTo(c, `/hosts/${hostId}/settings`, { text: "The changes are saved." });
}

async function resume(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const { errors } = await attemptTo(() => resumeHost(server, actorOf(c), hostId));
  const back = whereFrom(c, `/hosts/${hostId}`);
  if (errors) return goTo(c, back, { state: "warn", text: errors[""]! });
  return goTo(c, back, { text: "Schedules and retention go on." });
}

async function dismiss(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const { errors } = await attemptTo(() => dismissAgentProblems(server, actorOf(c), hostId));
  const back = whereFrom(c, `/hosts/${hostId}`);
  if (errors) return goTo(c, back, { state: "warn", text: errors[""]! });
  return goTo(c, back, { text: "What the agent reported is dismissed." });
}

async function rejoin(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const made = await createRejoinToken(server, actorOf(c), hostId);
  // Not a redirect: the command is in this one answer and nowhere else.
  const page = AddHostDonePage({
    frame: await frameOf(server, c),
    hostname: made.name,
    tokenId: made.id,
    commands: joinCommands(c.get("baseUrl"), made.token),
    expires_at: made.expires_at,
    generatedPassword: null,
    missing: await missingFiles(server),
    joined: null,
    rejoins: { id: hostId, online: server.agents.isOnline(hostId) },
  });
  return show(c, page, 201);
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const form = await readForm(c);
  const confirmed = form.text("confirm_name").trim();
  if (confirmed !== host.name) {
    const deleteErrors = { confirm_name: "confirm_name must be the name of the host." };
    return settings(server, c, { deleteErrors }, 422);
  }
  const { done, errors } = await attempt(
    HostSnapshotsChoice,
    { snapshots: form.text("snapshots") || undefined },
    (choice) => removeHost(server, actorOf(c), host.id, choice),
  );
  if (errors) {
    return settings(server, c, { deleteErrors: { "": Object.values(errors)[0] } }, 422);
  }
  if (done) return goTo(c, `/jobs/${done}`, { text: `${host.name} is deleted.` });
  return goTo(c, "/", { text: `${host.name} is deleted. Its snapshots stay in the repository.` });
}
