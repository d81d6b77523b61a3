// Source groups of a host.
import { z } from "zod";
import { DEFAULT_HOOK_TIMEOUT_SECONDS, HOOK_NAMES } from "../../../shared/hooks.ts";
import {
  SourceFormPage,
  type SourceFormProps,
  type SourceFormValues,
} from "../../../templates/hosts/source_form.tsx";
import { SourcesPage } from "../../../templates/hosts/sources.tsx";
import type { RefusedRun } from "../../../templates/parts/limits.tsx";
import { getDefaultHooks } from "../../hooks/defaults.ts";
import { getHost, type Host } from "../../hosts/find.ts";
import type { Server } from "../../server.ts";
import {
  SourceGroupInput,
  SourceGroupSettings,
} from "../../../shared/shapes/source_group_settings.ts";
import { formErrors, formInput, formValues, typedValues } from "./schema_form.ts";
import { getSourceGroup, heirsOf, listSourceGroups } from "../../source_groups/find.ts";
import {
  changeSourceGroup,
  createSourceGroup,
  removeSourceGroup,
} from "../../source_groups/save.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { AppError } from "../../errors.ts";
import { forgetUngoverned } from "../../retention/decide_ungoverned.ts";
import { previewRetention } from "../../retention/preview.ts";
import { SnapshotsChoice } from "../../source_groups/leave_snapshots.ts";
import { attempt, attemptTo, type Form, numberOf, readForm } from "./form.ts";
import { hostFrame } from "./host_props.ts";
import { startRun } from "./run_form.ts";
import { frameOf, goTo, isAdmin, show } from "./page.ts";
import { PreviewedRetention } from "../../retention/fields.ts";
import type { SourceGroup } from "../../../shared/shapes/source_group.ts";
import type { DefaultHooks } from "../../../shared/shapes/hooks.ts";

export const sourcePageRoutes: Route[] = [
  {
    method: "GET",
    path: "/hosts/:id/sources",
    role: "operator",
    handler: (server, c) => listSources(server, c),
  },
  // Where a refused form was shown: reloaded, it is the tab again.
  {
    method: "GET",
    path: "/hosts/:id/sources/run",
    role: "operator",
    handler: async (server, c) => {
      const { id } = await getHost(server, pathId(c, "id"));
      return goTo(c, `/hosts/${id}/sources`);
    },
  },
  {
    method: "POST",
    path: "/hosts/:id/sources/run",
    role: "operator",
    handler: (server, c) => startRun(server, c, (refused) => listSources(server, c, refused)),
  },
  { method: "GET", path: "/hosts/:id/sources/new", role: "operator", handler: showNew },
  { method: "POST", path: "/hosts/:id/sources/new", role: "operator", handler: create },
  { method: "GET", path: "/hosts/:id/sources/:gid", role: "operator", handler: showOne },
  { method: "POST", path: "/hosts/:id/sources/:gid", role: "operator", handler: change },
  {
    method: "POST",
    path: "/hosts/:id/sources/:gid/preview",
    whenFull: true,
    role: "operator",
    handler: preview,
  },
  {
    method: "POST",
    path: "/hosts/:id/sources/:gid/delete",
    whenFull: true,
    role: "operator",
    handler: remove,
  },
];

async function listSources(server: Server, c: Ctx, refused?: RefusedRun): Promise<Response> {
  const props = await hostFrame(server, c);
  const groups = await listSourceGroups(server, props.host.id);
  const defaults = await getDefaultHooks(server, props.host.id);
  const page = SourcesPage({
    ...props,
    groups: groups.map((group) => ({
      ...group,
      hooks: hookViews(group, defaults).flatMap(({ hook, inForce }) =>
        inForce ? [{ name: hook, from: inForce.from }] : []
      ),
    })),
    refused,
  });
  return show(c, page, refused ? 422 : 200);
}

const HOOK_FIELDS = [
  "pre_hook",
  "post_hook",
  "hook_timeout_seconds",
  "hook_stop_at_error",
] as const;

async function showNew(server: Server, c: Ctx): Promise<Response> {
  const defaults = SourceGroupInput.parse({ name: "new", includes: [] });
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
    SourceGroupInput,
    inputOf(values),
    (input) => createSourceGroup(server, actorOf(c), hostId, input),
  );
  if (errors) {
    return await showForm(server, c, {
      group: null,
      values,
      errors: formErrors(SourceGroupSettings, errors),
    });
  }
  return goTo(c, `/hosts/${hostId}/sources`, { text: "The source group is added." });
}

async function change(server: Server, c: Ctx): Promise<Response> {
  const hostId = pathId(c, "id");
  const group = await getSourceGroup(server, hostId, pathId(c, "gid"));
  const values = typed(await readForm(c));
  const { errors } = await attempt(
    SourceGroupInput,
    inputOf(values),
    (input) => changeSourceGroup(server, actorOf(c), { hostId, id: group.id }, input),
  );
  if (errors) {
    return await showForm(server, c, {
      group,
      values,
      errors: formErrors(SourceGroupSettings, errors),
    });
  }
  return goTo(c, `/hosts/${hostId}/sources`, { text: "The changes are saved." });
}

/** What the retention as typed would do to the snapshots that are listed, before it is saved. */
async function preview(server: Server, c: Ctx): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const group = await getSourceGroup(server, host.id, pathId(c, "gid"));
  const values = typed(await readForm(c));
  const { done, errors } = await attempt(
    z.object({ retention: PreviewedRetention }),
    { retention: formInput(SourceGroupSettings, values).retention },
    ({ retention }) => previewRetention(server, group.id, retention),
  );
  if (errors) {
    return await showForm(server, c, {
      group,
      values,
      errors: formErrors(SourceGroupSettings, errors),
    });
  }
  return await showForm(server, c, { group, values, errors: {}, preview: done });
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const group = await getSourceGroup(server, host.id, pathId(c, "gid"));
  const form = await readForm(c);
  const isForgotten = form.text("snapshots") === "forget";
  const named = { hostname: host.snapshot_host, tags: [group.snapshot_tag] };
  const { errors } = await attempt(
    SnapshotsChoice,
    isForgotten ? {} : {
      snapshots: form.text("snapshots") || undefined,
      ...(form.text("snapshots") === "adopt" ? { adopt_by: form.text("adopt_by") } : {}),
    },
    async (choice) => {
      if (isForgotten) refuseToForget(c, host, form.text("confirm_hostname").trim());
      await removeSourceGroup(server, actorOf(c), { hostId: host.id, id: group.id }, choice);
    },
  );
  if (errors) {
    const [text = "The source group was not removed."] = Object.values(errors);
    return goTo(c, `/hosts/${host.id}/sources/${group.id}`, { state: "warn", text });
  }
  if (!isForgotten) {
    return goTo(c, `/hosts/${host.id}/sources`, { text: "The source group is removed." });
  }
  const begun = await attemptTo(() =>
    forgetUngoverned(server, actorOf(c), host.repository_id, {
      ...named,
      confirm_hostname: named.hostname,
    })
  );
  if (begun.errors) {
    const why = Object.values(begun.errors)[0];
    return goTo(c, `/repositories/${host.repository_id}#ungoverned`, {
      state: "warn",
      text: `The source group is removed; its snapshots are still there: ${why}`,
    });
  }
  return goTo(c, `/jobs/${begun.done}`);
}

function refuseToForget(c: Ctx, host: Host, typed: string): void {
  if (!isAdmin(c)) throw new AppError("forbidden", "Only admins forget snapshots.");
  if (typed !== host.snapshot_host) {
    throw new AppError(
      "name_mismatch",
      "Nothing was removed: to forget the snapshots, type their host name exactly.",
    );
  }
}

async function showForm(
  server: Server,
  c: Ctx,
  form: Pick<SourceFormProps, "values" | "errors" | "preview"> & { group: SourceGroup | null },
): Promise<Response> {
  const host = await getHost(server, pathId(c, "id"));
  const page = SourceFormPage({
    frame: await frameOf(server, c),
    host,
    hooks: hookViews(form.group, await getDefaultHooks(server, host.id)),
    mayEditHooks: isAdmin(c),
    isAdmin: isAdmin(c),
    approvedRoots: isAdmin(c) ? null : host.approved_roots,
    heirs: (await heirsOf(server, host.repository_id, [host.snapshot_host]))
      .filter(({ id }) => form.group && id !== form.group.id),
    ...form,
    values: form.group && !isAdmin(c) ? { ...form.values, ...hookValues(form.group) } : form.values,
  });
  return show(c, page, Object.keys(form.errors).length > 0 ? 422 : 200);
}

/** What is saved and in force, for one group. */
function hookViews(
  group: SourceGroup | null,
  defaults: DefaultHooks,
): SourceFormProps["hooks"] {
  return HOOK_NAMES.map((hook) => {
    const cannotDecrypt = group?.cannot_decrypt_hooks.includes(hook) ?? false;
    const own = group?.[hook] ?? null;
    if (own !== null || cannotDecrypt) {
      return { hook, cannotDecrypt, inForce: { from: "group", text: own } };
    }
    const name = `${hook}_default` as const;
    const isSet = defaults[name] !== null || defaults.cannot_decrypt.includes(name);
    return { hook, cannotDecrypt, inForce: isSet ? { from: "host", text: defaults[name] } : null };
  });
}

function typed(form: Form): SourceFormValues {
  const hooks = HOOK_FIELDS.map((name) => [name, form.text(name)]);
  return { ...typedValues(SourceGroupSettings, form), ...Object.fromEntries(hooks) };
}

function inputOf(values: SourceFormValues) {
  return { ...formInput(SourceGroupSettings, values), ...hooksOf(values) };
}

/** Anyone who may not edit hooks is shown them disabled: then they are not sent, and stay as they are. */
function hooksOf(values: SourceFormValues) {
  if (values.hook_timeout_seconds === "") return {};
  const { pre_hook, post_hook } = values;
  return {
    pre_hook,
    post_hook,
    hook_timeout_seconds: numberOf(values.hook_timeout_seconds),
    hook_stop_at_error: values.hook_stop_at_error === "on",
  };
}

function valuesOf(
  group: SourceGroupSettings & Partial<Pick<SourceGroup, typeof HOOK_FIELDS[number]>>,
): SourceFormValues {
  return { ...formValues(SourceGroupSettings, group), ...hookValues(group) };
}

function hookValues(group: Partial<Pick<SourceGroup, typeof HOOK_FIELDS[number]>>) {
  return {
    pre_hook: group.pre_hook ?? "",
    post_hook: group.post_hook ?? "",
    hook_timeout_seconds: String(group.hook_timeout_seconds ?? DEFAULT_HOOK_TIMEOUT_SECONDS),
    hook_stop_at_error: group.hook_stop_at_error ?? true ? "on" : "",
  };
}
