import type { RepositoryLock } from "../../shared/protocol.ts";
import { spanInWords } from "../../shared/span.ts";

/** "exclusive lock of root on db-01 (process 123), 3 min old" */
export function lockInWords(lock: RepositoryLock, now = Date.now()): string {
  const { exclusive, username, hostname, pid, at } = lock;
  const who = `${username ? `${username} on ` : ""}${hostname}`;
  const process = pid === null ? "" : ` (process ${pid})`;
  return `${exclusive ? "exclusive" : "shared"} lock of ${who}${process}, ${ageInWords(now - at)}`;
}

function ageInWords(ms: number): string {
  if (ms < -60_000) return `made ${spanInWords(ms)} ahead of this host's clock`;
  return `${spanInWords(Math.max(0, ms))} old`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
