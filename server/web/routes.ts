// Every path that the server answers to, with the role that it needs. A row without a role needs admin.
import { API_ROUTES } from "./api/routes.ts";
import type { Route } from "./context.ts";
import { PAGE_ROUTES } from "./pages/routes.ts";

export const ROUTES: Route[] = [...API_ROUTES, ...PAGE_ROUTES];
