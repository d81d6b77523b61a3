import type { Server } from "../server.ts";

/** By id; those that are gone are not in it. */
export async function hostNamesAndZones(
  { db }: Pick<Server, "db">,
  ids: string[],
): Promise<Map<string, { name: string; time_zone: string }>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("hosts").select(["id", "name", "time_zone"])
    .where("id", "in", [...new Set(ids)]).execute();
  return new Map(rows.map(({ id, ...host }) => [id, host]));
}
