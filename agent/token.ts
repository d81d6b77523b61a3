// What a token that was given means to this machine.
import { createHash } from "node:crypto";
import type { Settings } from "./settings.ts";

/** `used` and `refused` were dealt with before: an environment that still holds one means nothing new by it. */
export type TokenState = "none" | "new" | "used" | "refused";

export function tokenState(settings: Settings): TokenState {
  const { token, stored } = settings;
  if (!token) return "none";
  const hash = hashOf(settings);
  if (stored?.token_used === hash) return "used";
  return stored?.token_refused === hash ? "refused" : "new";
}

/** What agent.yaml keeps of a token: a server may refuse what another one takes. */
export function hashOf({ server, token }: Pick<Settings, "server" | "token">): string {
  return createHash("sha256").update(`${server} ${token}`).digest("hex");
}

/** "host 0192… of https://…" */
export function whatItIs({ hostId, stored, server }: Settings): string {
  return `host ${hostId ?? "without an id"} of ${stored?.server ?? server}`;
}
