import { visible, visibleJson } from "../../../shared/redact.ts";
import { type AuditFilter, listAudit } from "../../audit/find.ts";
import type { Server } from "../../server.ts";
import { readEndTime, readPage, readTime } from "../body.ts";
import type { Ctx } from "../context.ts";
import { isStillSignedIn } from "../security.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { AuditEntry } from "../../../shared/shapes/audit_entry.ts";

const QUERY = ["actor", "action", "target", "from", "to"];
const PAGE = 500;

export const auditRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/audit",
    role: "admin",
    summary: "Who did what to what, when, from where; the newest first",
    query: [...QUERY, "limit", "cursor"],
    response: { 200: listOf(AuditEntry) },
    handler: async (server, c) =>
      withIsoTimes(await listAudit(server, auditFilter(c), readPage(c))),
  }),
  apiRoute({
    method: "GET",
    path: "/api/audit.csv",
    role: "admin",
    summary: "The same as CSV (RFC 4180)",
    query: QUERY,
    response: {
      200: { type: "text/csv", description: "One row for each entry, below a row of names" },
    },
    handler: (server, c) =>
      new Response(csv(server, c, auditFilter(c)), {
        headers: {
          "Content-Type": "text/csv; charset=utf-8",
          "Content-Disposition": 'attachment; filename="audit.csv"',
        },
      }),
  }),
];

export function auditFilter(c: Ctx): AuditFilter {
  return {
    actor: c.req.query("actor") || undefined,
    action: c.req.query("action") || undefined,
    target: c.req.query("target") || undefined,
    from: readTime(c, "from"),
    to: readEndTime(c, "to"),
  };
}

function csv(server: Server, c: Ctx, filter: AuditFilter): ReadableStream<Uint8Array> {
  let cursor: string | null = null;
  let begun = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!await isStillSignedIn(server, c)) return controller.error(new Error("signed out"));
      const page = await listAudit(server, filter, { limit: PAGE, cursor });
      const head = begun
        ? ""
        : "at,actor_kind,actor,action,target_kind,target_id,target,address,detail\r\n";
      begun = true;
      controller.enqueue(new TextEncoder().encode(head + page.items.map(row).join("")));
      cursor = page.next_cursor;
      if (cursor === null) controller.close();
    },
  });
}

function row(entry: AuditEntry): string {
  const { actor, target } = entry;
  return [
    new Date(entry.at).toISOString(),
    actor.kind,
    actor.name,
    entry.action,
    target?.kind ?? "",
    target?.id ?? "",
    target?.name ?? "",
    entry.address ?? "",
    visibleJson(entry.detail),
  ].map(cell).join(",") + "\r\n";
}

/**
 * Quoted, without what acts on a terminal, and never the beginning of a formula: a spreadsheet runs what begins with = + -
 * or @, also behind blanks.
 */
function cell(given: string): string {
  const text = visible(given);
  const harmless = /^\s*[=+\-@]|^[\t\r]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
