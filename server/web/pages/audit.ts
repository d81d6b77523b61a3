import { AuditPage, type AuditRow } from "../../../templates/audit/page.tsx";
import { listAudit } from "../../audit/find.ts";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import { auditFilter } from "../api/audit.ts";
import { readPage } from "../body.ts";
import type { Ctx, Route } from "../context.ts";
import { frameOf, show } from "./page.ts";
import type { AuditEntry } from "../../../shared/shapes/audit_entry.ts";

export const auditPageRoutes: Route[] = [
  { method: "GET", path: "/audit", role: "admin", handler: audit },
];

async function audit(server: Server, c: Ctx): Promise<Response> {
  const typed = (name: string) => c.req.query(name) ?? "";
  const { page, error } = await entries(server, c);
  return show(
    c,
    AuditPage({
      frame: await frameOf(server, c),
      entries: page.items.map(auditRow),
      filter: {
        actor: typed("actor"),
        action: typed("action"),
        target: typed("target"),
        from: typed("from"),
        to: typed("to"),
      },
      fault: server.audit.fault,
      error,
      nextCursor: page.next_cursor,
      isFirstPage: !c.req.query("cursor"),
    }),
    error ? 422 : 200,
  );
}

async function entries(server: Server, c: Ctx) {
  try {
    return { page: await listAudit(server, auditFilter(c), readPage(c)) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid") throw error;
    return { page: { items: [], next_cursor: null }, error: error.message };
  }
}

function auditRow({ target, ...entry }: AuditEntry): AuditRow {
  return {
    ...entry,
    target: target && { kind: target.kind, name: target.name, href: hrefOf(target) },
  };
}

function hrefOf(target: NonNullable<AuditEntry["target"]>): string | null {
  if (!target.id) return null;
  switch (target.kind) {
    case "host":
      return `/hosts/${target.id}`;
    case "job":
      return `/jobs/${target.id}`;
    case "repository":
      return `/repositories/${target.id}`;
    default:
      return null;
  }
}
