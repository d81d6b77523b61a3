// Who tries what his role does not allow, or whose browser is used by another site, shows in the audit.
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import { actorOf, type Ctx } from "./context.ts";

const NOTED_PER_HOUR = 20;
const PATH_LENGTH = 200;

/** Notes that a signed-in user was refused: 20 times an hour and user, since refusals cost him nothing. Never throws. */
export async function noteRefusal(server: Server, c: Ctx, error: unknown): Promise<void> {
  const user = c.get("user");
  if (!(error instanceof AppError) || error.code !== "forbidden" || !user) return;
  try {
    const key = `refused:${user.id}`;
    const noted = server.unauthenticated.peek(key, NOTED_PER_HOUR, 3600).length + 1;
    server.unauthenticated.check(key, NOTED_PER_HOUR, 3600);
    await recordAudit(server.db, server.now(), actorOf(c), {
      action: "request.refused",
      detail: {
        request: `${c.req.method} ${c.req.path.slice(0, PATH_LENGTH)}`,
        ...(error.field ? { field: error.field } : {}),
        ...(noted === NOTED_PER_HOUR ? { more_are_left_out_for: "up to an hour" } : {}),
      },
    });
  } catch (fault) {
    const isEnough = fault instanceof AppError && fault.code === "too_many";
    // The refusal itself stands, whatever becomes of its record.
    if (!isEnough) server.log.error(`A refusal could not be noted: ${fault}`);
  }
}
