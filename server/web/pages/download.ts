// Downloads from the pages of a snapshot: a link for one file or folder, and the form of those that are ticked.
import { download, readDownloadFields } from "../api/snapshots.ts";
import { AppError } from "../../errors.ts";
import type { Route } from "../context.ts";

export const downloadPageRoutes: Route[] = [
  {
    method: "GET",
    path: "/snapshots/:id/download",
    role: "admin",
    handler: (server, c) =>
      download(server, c, readDownloadFields(new URL(c.req.url).searchParams)),
  },
  {
    method: "POST",
    path: "/snapshots/:id/download",
    role: "admin",
    whenFull: true,
    handler: async (server, c) => {
      const form = await c.req.formData().catch(() => {
        throw new AppError("bad_request", "The body must be a form.");
      });
      if (form.getAll("item").length === 0) {
        throw new AppError("invalid", "Tick what is to be downloaded first.", "item");
      }
      return await download(server, c, readDownloadFields(form, "item"));
    },
  },
];
