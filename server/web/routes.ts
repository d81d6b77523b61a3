// Every path that the server answers to, with the role that it needs. A row without a role needs admin.
import { API_ROUTES } from "./api/routes.ts";
import { openApi } from "./api/openapi.ts";
import type { Route } from "./context.ts";
import { PAGE_ROUTES } from "./pages/routes.ts";

const description = openApi(API_ROUTES);

export const ROUTES: Route[] = [
  ...API_ROUTES,
  ...PAGE_ROUTES,
  {
    method: "GET",
    path: "/api/openapi.json",
    role: "public",
    handler: (_, c) => c.json(description),
  },
];
