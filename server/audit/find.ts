import type { Server } from "../server.ts";
import { numberCursor, type Page, type PageInput, pageOf } from "../paging.ts";
import type { AuditEntry } from "../../shared/shapes/audit_entry.ts";

export interface AuditFilter {
  actor?: string;
  action?: string;
  target?: string;
  from?: number;
  to?: number;
}

/** The newest first. `action` also matches by its beginning ("job" finds job.started), `target` by id or name. */
export async function listAudit(
  { db }: Server,
  filter: AuditFilter,
  input: PageInput,
): Promise<Page<AuditEntry>> {
  let query = db.selectFrom("audit").selectAll().orderBy("id", "desc").limit(input.limit + 1);
  const before = numberCursor(input);
  if (before !== null) query = query.where("id", "<", before);
  if (filter.actor) query = query.where("actor_name", "=", filter.actor);
  const { action, target } = filter;
  if (action) {
    query = query.where((where) =>
      where.or([where("action", "=", action), where("action", "like", `${escapeLike(action)}.%`)])
    );
  }
  if (target) {
    query = query.where((where) =>
      where.or([where("target_id", "=", target), where("target_name", "=", target)])
    );
  }
  if (filter.from !== undefined) query = query.where("at", ">=", filter.from);
  if (filter.to !== undefined) query = query.where("at", "<=", filter.to);
  return pageOf(await query.execute(), input, (row) => row.id, (row) => ({
    id: row.id,
    at: row.at,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    action: row.action,
    target: row.target_kind
      ? { kind: row.target_kind, id: row.target_id, name: row.target_name }
      : null,
    address: row.address,
    detail: JSON.parse(row.detail),
  }));
}

/** % and _ have a meaning for LIKE; none of our action names holds them. */
function escapeLike(text: string): string {
  return text.replace(/[%_\\]/g, "");
}
