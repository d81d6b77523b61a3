// Snapshots that no source group governs, on a repository's page.
import {
  AdoptInput,
  adoptSnapshots,
  ForgetInput,
  forgetUngoverned,
  KeepInput,
  keepUngoverned,
} from "../../retention/decide_ungoverned.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attempt, type Form, readForm, type Tried } from "./form.ts";
import { goTo } from "./page.ts";

export const ungovernedPageRoutes: Route[] = [
  { method: "POST", path: "/repositories/:id/ungoverned/adopt", role: "admin", handler: adopt },
  { method: "POST", path: "/repositories/:id/ungoverned/keep", role: "operator", handler: keep },
  { method: "POST", path: "/repositories/:id/ungoverned/forget", role: "admin", handler: forget },
];

async function adopt(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const input = { ...namedIn(form), source_group_id: form.text("source_group_id") };
  const tried = await attempt(
    AdoptInput,
    input,
    (read) => adoptSnapshots(server, actorOf(c), id, read),
  );
  return back(c, id, tried, "The group governs them from now on.");
}

async function keep(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const input = namedIn(await readForm(c));
  const tried = await attempt(
    KeepInput,
    input,
    (read) => keepUngoverned(server, actorOf(c), id, read),
  );
  return back(c, id, tried, "They are kept.");
}

async function forget(server: Server, c: Ctx): Promise<Response> {
  const id = pathId(c, "id");
  const form = await readForm(c);
  const input = { ...namedIn(form), confirm_hostname: form.text("confirm_hostname").trim() };
  const tried = await attempt(
    ForgetInput,
    input,
    (read) => forgetUngoverned(server, actorOf(c), id, read),
  );
  if (!tried.errors) return goTo(c, `/jobs/${tried.done}`);
  return back(c, id, tried, "");
}

function namedIn(form: Form): { hostname: string; tags: unknown } {
  let tags: unknown;
  try {
    tags = JSON.parse(form.text("tags"));
  } catch {
    // The schema says what it must be.
    tags = null;
  }
  return { hostname: form.text("hostname"), tags };
}

function back<T>(c: Ctx, id: string, tried: Tried<T>, done: string): Response {
  const problem = Object.values(tried.errors ?? {})[0];
  return goTo(
    c,
    `/repositories/${id}#ungoverned`,
    problem ? { state: "warn", text: problem } : { text: done },
  );
}
