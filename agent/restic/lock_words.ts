import type { RepositoryLock } from "../../shared/protocol.ts";

/** "exclusive lock of root on db-01 (process 123), 3 min old" */
export function lockInWords(lock: RepositoryLock, now = Date.now()): string {
  const { exclusive, username, hostname, pid, at } = lock;
  const who = `${username ? `${username} on ` : ""}${hostname}`;
  const process = pid === null ? "" : ` (process ${pid})`;
  return `${exclusive ? "exclusive" : "shared"} lock of ${who}${process}, ${ageInWords(now - at)}`;
}

function ageInWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < -60) {
    return `made ${spanInWords(-seconds)} ahead of this host's clock`;
  }
  return `${spanInWords(Math.max(0, seconds))} old`;
}

function spanInWords(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.round(seconds / 86_400)} days`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
