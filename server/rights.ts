// What a role may do beyond the route that it may call: rules that look at a field or at what is stored.
import { AppError } from "./errors.ts";
import type { Actor } from "./server.ts";

/** Whether a person asks who is no admin. What the server does by its own clock is nobody's detour. */
export function isRestricted(actor: Actor): boolean {
  return actor.kind === "user" && actor.role !== "admin";
}

/** Throws forbidden with the field. `sentence` says what needs an admin and why. */
export function needAdmin(actor: Actor, field: string | undefined, sentence: string): void {
  if (isRestricted(actor)) throw new AppError("forbidden", sentence, field);
}
