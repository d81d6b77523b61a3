import type { Server } from "../server.ts";

/** What the backups of one UTC day came to; none: no backup ended on it. */
export type DayOutcome = "none" | "ok" | "warn" | "bad";

export const STRIP_DAYS = 30;

/** The last 30 days of each host, oldest first: what the strip of a host's row shows. */
export async function backupStrips(
  { db, now }: Server,
  hostIds: string[],
): Promise<Map<string, DayOutcome[]>> {
  const today = Math.floor(now() / 86_400_000);
  const from = today - STRIP_DAYS + 1;
  const strips = new Map(hostIds.map((id) => [id, new Array<DayOutcome>(STRIP_DAYS).fill("none")]));
  if (hostIds.length === 0) return strips;
  const rows = await db.selectFrom("backup_days").selectAll().where("host_id", "in", hostIds)
    .where("day", ">=", from).execute();
  for (const row of rows) {
    const strip = strips.get(row.host_id);
    if (strip && row.day <= today) strip[row.day - from] = outcomeOf(row);
  }
  return strips;
}

/** A failure with a success after it on the same day is a warning, not a green day. */
function outcomeOf(day: { succeeded: number; warned: number; failed: number }): DayOutcome {
  if (day.failed > 0) return day.succeeded + day.warned > 0 ? "warn" : "bad";
  return day.warned > 0 ? "warn" : "ok";
}
