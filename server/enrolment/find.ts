import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";

/** Whether a token was used, and by which host. Throws not_found. */
export async function getEnrolment(
  { db }: Server,
  id: string,
): Promise<{ expires_at: number; host_id: string | null }> {
  const row = await db.selectFrom("enrolment_tokens").select(["expires_at", "host_id"])
    .where("id", "=", id).executeTakeFirst();
  if (!row) throw new AppError("not_found", "There is no such enrolment token.");
  return row;
}
