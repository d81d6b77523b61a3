// Enrolment tokens that have been over for a week.
import type { Server } from "../server.ts";

export async function removeOldEnrolmentTokens({ db, now }: Server): Promise<void> {
  await db.deleteFrom("enrolment_tokens").where("expires_at", "<", now() - 7 * 86_400_000)
    .execute();
}
