// What filters offer: all tags, and hosts by name.
import type { Server } from "../server.ts";

export async function allTags({ db }: Server): Promise<string[]> {
  const rows = await db.selectFrom("hosts").select("tags").distinct().execute();
  return [...new Set(rows.flatMap((row) => JSON.parse(row.tags) as string[]))].sort();
}

/** The first so many, by name. */
export async function hostNames(
  { db }: Server,
  limit: number,
): Promise<{ id: string; name: string }[]> {
  return await db.selectFrom("hosts").select(["id", "name"]).orderBy("name").limit(limit).execute();
}
