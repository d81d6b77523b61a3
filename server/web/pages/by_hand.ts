// How to get at a snapshot without us, after the password.
import { ByHandPage } from "../../../templates/snapshots/by_hand.tsx";
import type { Server } from "../../server.ts";
import { commandsByHand } from "../../snapshots/by_hand.ts";
import { snapshotFacts } from "../../snapshots/facts.ts";
import { snapshotOf } from "../api/snapshots.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { attemptTo, readForm } from "./form.ts";
import { frameOf, goTo, show } from "./page.ts";

export const byHandPageRoutes: Route[] = [
  { method: "POST", path: "/snapshots/:id/by-hand", role: "admin", handler: byHand },
];

/** The answer to the form itself: an address could be opened again, and would stay in the browser's history. */
async function byHand(server: Server, c: Ctx): Promise<Response> {
  const snapshot = await snapshotOf(server, c);
  const password = (await readForm(c)).text("password");
  const { done, errors } = await attemptTo(() =>
    commandsByHand(server, actorOf(c), snapshot, password)
  );
  if (errors) {
    const [text = "Nothing was shown."] = Object.values(errors);
    const to = `/snapshots/${snapshot.id}?repository=${snapshot.repository_id}#by-hand`;
    return goTo(c, to, { state: "warn", text });
  }
  const view = { ...snapshot, ...await snapshotFacts(server, snapshot) };
  return show(c, ByHandPage({ frame: await frameOf(server, c), snapshot: view, text: done }));
}
