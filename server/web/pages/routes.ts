// The pages and forms that people use: one row per method and path, with the role that it needs.
import type { Route } from "../context.ts";

export const PAGE_ROUTES: Route[] = [];
