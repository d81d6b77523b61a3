// What a person and an installer read on the console of a machine that asks to join.
import { fingerprintGroups } from "../shared/announce.ts";
import { visible } from "../shared/redact.ts";

export interface Banner {
  server: string;
  hostname: string;
  fingerprint: string;
  hasCollision: boolean;
  /** What goes between here and the server can be read on the way. */
  canBeRead: boolean;
  /** Why the server will not take this machine's proof. */
  addressProblem?: string | undefined;
}

const PLAIN_LINE =
  "WARNING: this is plain HTTP. The line can be read and changed by whoever is in between, and the credential that this machine gets with it. Use https.";
const WIDTH = 68;

/** Wrapped at blanks, indented by two. */
function lines(text: string): string[] {
  const wrapped: string[] = [];
  for (const word of visible(text).split(/\s+/)) {
    const last = wrapped.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) {
      wrapped[wrapped.length - 1] = `${last} ${word}`;
    } else wrapped.push(word);
  }
  return wrapped.map((line) => `  ${line}`);
}

const RULE = "=".repeat(72);

/**
 * Printed to stdout once per process, when the server has taken the announcement. Stable, for installers: the lines
 *
 *     ^  host         <name>$
 *     ^  fingerprint  SHA256:<64 hex digits>$
 *
 * are in it exactly so, between two lines of 72 equals signs. Afterwards exactly one line follows on stdout:
 * `accepted: this machine is now host <name>` (the agent goes on working), or `rejected: <sentence>` (it ends with exit code 7).
 */
export function banner(shown: Banner): string {
  const { server, hostname, fingerprint, hasCollision, canBeRead, addressProblem } = shown;
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
    ...(canBeRead ? [...lines(PLAIN_LINE), ""] : []),
    ...(addressProblem ? [...lines(addressProblem), ""] : []),
    "  Compare these digits with those on the dashboard, and accept there.",
    RULE,
    "",
  ].join("\n");
}

export function acceptedLine(name: string): string {
  return `accepted: this machine is now host ${visible(name).replaceAll("\n", " ")}`;
}

export function rejectedLine(sentence: string): string {
  return `rejected: ${visible(sentence).replaceAll("\n", " ")}`;
}
