// Buttons that start jobs of a host from a page that has no form for it.
import type { Route } from "../context.ts";
import { startRun } from "./run_form.ts";

export const runPageRoutes: Route[] = [
  {
    method: "POST",
    path: "/hosts/:id/jobs",
    role: "operator",
    handler: (server, c) => startRun(server, c),
  },
];
