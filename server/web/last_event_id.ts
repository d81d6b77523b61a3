// Where a stream goes on that was cut.
import { AppError } from "../errors.ts";
import type { Ctx } from "./context.ts";

/** The number after which a stream goes on: Last-Event-ID of a reconnect, or ?after=. Throws invalid. */
export function lastEventId(c: Ctx): number {
  const text = c.req.header("last-event-id") || c.req.query("after") || "0";
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new AppError("invalid", "after must be the number of a line.", "after");
  }
  return number;
}
