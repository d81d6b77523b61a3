// What a person and an installer read on the console of a machine that asks to join.
import { fingerprintGroups } from "../shared/announce.ts";
import { visible } from "../shared/redact.ts";

export interface Banner {
  server: string;
  hostname: string;
  fingerprint: string;
  hasCollision: boolean;
}

const RULE = "=".repeat(72);

/**
 * Printed to stdout once per process, when the server has taken the announcement. Stable, for installers: the lines
 *
 *     ^  host         <name>$
 *     ^  fingerprint  SHA256:<64 hex digits>$
 *
 * stand in it exactly so, between two lines of 72 equals signs. Afterwards exactly one line follows on stdout:
 * `accepted: this machine is now host <name>` (the agent goes on working), or `rejected: <sentence>` (it ends with exit code 7).
 */
export function banner({ server, hostname, fingerprint, hasCollision }: Banner): string {
  const groups = fingerprintGroups(fingerprint);
  const line = (from: number) =>
    `      ${groups.slice(from, from + 4).join(" ")}   ${
      groups.slice(from + 4, from + 8).join(" ")
    }`;
  return [
    "",
    RULE,
    `  This machine waits for approval at ${server}`,
    "",
    `  host         ${visible(hostname)}`,
    `  fingerprint  ${fingerprint}`,
    "",
    line(0),
    line(8),
    "",
    ...(hasCollision ? ["  Another machine there has the same name. Compare with care.", ""] : []),
    "  Compare these digits with those on the dashboard, and accept there.",
    RULE,
    "",
  ].join("\n");
}

export function acceptedLine(name: string): string {
  return `accepted: this machine is now host ${visible(name)}`;
}

export function rejectedLine(sentence: string): string {
  return `rejected: ${visible(sentence).replaceAll("\n", " ")}`;
}
