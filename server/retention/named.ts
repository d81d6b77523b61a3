import type { NamedForget } from "./forget_request.ts";
import type { Server } from "../server.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";

/** What a person named, but for what a group has taken over since: that is asked of one whose id was typed alone. */
export async function namedOrders(
  { db }: Server,
  repositoryId: string,
  named: NamedForget,
): Promise<ForgetOrder[]> {
  const rows = named.also_governed ? [] : await db.selectFrom("snapshot_claims")
    .innerJoin("source_groups", "source_groups.id", "snapshot_claims.source_group_id")
    .select("snapshot_id").where("repository_id", "=", repositoryId).execute();
  const governed = new Set(rows.map(({ snapshot_id }) => snapshot_id));
  return [{
    source_group_id: null,
    tag: named.tags.join(", ").slice(0, 200) || "any tag",
    host: named.hostname || "no name",
    retention: null,
    snapshots: named.places.map(({ host, tags, remove }) => ({
      host,
      tags,
      keep: [],
      remove: remove.filter((id) => !governed.has(id)),
    })),
  }];
}
