// Machines that wait for approval: who they are, and an admin's decision.
import { AcceptedPage, AcceptPage, type AcceptProps } from "../../../templates/pending/accept.tsx";
import { PendingPage } from "../../../templates/pending/page.tsx";
import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import { listAwayHosts } from "../../hosts/names.ts";
import { Acceptance, acceptPendingHost } from "../../pending_hosts/accept.ts";
import { getPendingHost, listPendingHosts, listRejectedKeys } from "../../pending_hosts/find.ts";
import { allowRejectedKey, rejectPendingHost } from "../../pending_hosts/reject.ts";
import { warningFlash } from "../../repositories/secret_warnings.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, attemptTo, linesOf, readForm, tagsOf } from "./form.ts";
import { frameOf, goTo, isAdmin, show, whereFrom } from "./page.ts";
import { choiceInput, repositoryChoices, typedChoice } from "./repository_choice.ts";

export const pendingHostPageRoutes: Route[] = [
  { method: "GET", path: "/pending-hosts", role: "operator", handler: list },
  { method: "GET", path: "/pending-hosts/:id", role: "admin", handler: showForm },
  { method: "POST", path: "/pending-hosts/:id/accept", role: "admin", handler: accept },
  {
    method: "POST",
    path: "/pending-hosts/:id/reject",
    whenFull: true,
    role: "admin",
    handler: reject,
  },
  { method: "POST", path: "/rejected-keys/:id/allow", role: "admin", handler: allow },
];

const PER_PAGE = 25;
const REJECTED_SHOWN = 20;

async function list(server: Server, c: Ctx): Promise<Response> {
  const input = { limit: PER_PAGE, cursor: c.req.query("cursor") || null };
  const { items, total, next_cursor } = await listPendingHosts(server, input);
  const rejected = await listRejectedKeys(server, { limit: REJECTED_SHOWN, cursor: null });
  const before = Number(input.cursor ?? 0) - input.limit;
  const address = (cursor: string | number) => `/pending-hosts?cursor=${cursor}`;
  return show(
    c,
    PendingPage({
      frame: await frameOf(server, c),
      hosts: items,
      total,
      rejected: rejected.items,
      mayDecide: isAdmin(c),
      previous: input.cursor === null ? undefined : address(Math.max(0, before)),
      next: next_cursor === null ? undefined : address(next_cursor),
    }),
  );
}

async function showForm(server: Server, c: Ctx): Promise<Response> {
  const host = await getPendingHost(server, pathId(c, "id"));
  const repositories = await repositoryChoices(server, c);
  const page: AcceptProps = {
    frame: await frameOf(server, c),
    host: host,
    values: {
      name: host.hostname,
      join_as: "new",
      host_id: "",
      tags: "",
      initial_paths: "",
      may_hold_admin_credential: false,
      repository_choice: repositories.length > 0 ? "existing" : "new",
      repository_id: repositories[0]?.id ?? "",
      repository: NO_CONNECTION,
    },
    errors: {},
    awayHosts: await listAwayHosts(server, host.hostname),
    repositories,
  };
  return show(c, AcceptPage(page));
}

async function accept(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const revision = form.text("revision");
  const seen = {
    fingerprint: form.text("fingerprint"),
    ...(revision ? { revision: Number(revision) } : {}),
  };
  const value = form.text("join_as") === "existing" ? { ...seen, host_id: form.text("host_id") } : {
    ...seen,
    name: form.text("name"),
    tags: tagsOf(form.text("tags")),
    initial_paths: linesOf(form.text("initial_paths")),
    may_hold_admin_credential: form.ticked("may_hold_admin_credential"),
    ...choiceInput(form),
  };
  const { done, errors } = await attempt(
    Acceptance,
    value,
    (input) => acceptPendingHost(server, actorOf(c), id, input),
  );
  if (errors) {
    // What is gone meanwhile is answered by the page that says so.
    const host = await getPendingHost(server, id);
    const page = AcceptPage({
      frame: await frameOf(server, c),
      host: host,
      values: {
        name: form.text("name"),
        join_as: form.text("join_as") === "existing" ? "existing" : "new",
        host_id: form.text("host_id"),
        tags: form.text("tags"),
        initial_paths: form.text("initial_paths"),
        may_hold_admin_credential: form.ticked("may_hold_admin_credential"),
        ...typedChoice(form),
      },
      errors: { ...errors, "": errors[""] ?? errors.fingerprint ?? errors.revision },
      awayHosts: await listAwayHosts(server, host.hostname),
      repositories: await repositoryChoices(server, c),
    });
    return show(c, page, 422);
  }
  const { hostId, name, generatedPassword, warnings } = done;
  if (generatedPassword) {
    const flash = warnings.length > 0 ? { flash: warningFlash("", warnings) } : {};
    const frame = { ...await frameOf(server, c), ...flash };
    const page = { frame, host: { id: hostId, name }, password: generatedPassword };
    // Not a redirect: the password is in this one answer and nowhere else.
    return show(c, AcceptedPage(page), 201);
  }
  return goTo(
    c,
    `/hosts/${hostId}`,
    warningFlash(`${name} is accepted. It connects by itself.`, warnings),
  );
}

async function reject(server: Server, c: Ctx): Promise<Response> {
  const { hostname } = await getPendingHost(server, pathId(c, "id"));
  await rejectPendingHost(server, actorOf(c), pathId(c, "id"));
  return goTo(c, whereFrom(c, "/"), { text: `${hostname} is rejected. It stops asking.` });
}

async function allow(server: Server, c: Ctx): Promise<Response> {
  await attemptTo(() => allowRejectedKey(server, actorOf(c), pathId(c, "id")));
  return goTo(c, whereFrom(c, "/"), {
    text: "It may ask again: start the agent on that machine anew.",
  });
}
