// A path on the host itself, or a share that Windows reaches by name.
import { AddressError, cleanPath } from "./path.ts";

export interface LocalAddress {
  normalised: string;
  /** Every host has a place of its own under this path. A share is one place for all. */
  isOfHost: boolean;
}

/** Whether this is an absolute path of Linux or Windows. */
export function isPath(text: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\[^\\/])/.test(text);
}

const OWN_NAMES = new Set(["localhost", "127.0.0.1", "."]);

export function readLocal(path: string): LocalAddress {
  if (path.startsWith("/")) return { normalised: `local:${cleanPath(path)}`, isOfHost: true };
  // \\?\ switches off what Windows does to a path before it is used.
  const plain = path.replace(/^\\\\[?.]\\(UNC\\)?/i, (_, share) => share ? "\\\\" : "");
  const slashed = plain.replaceAll("\\", "/").toLowerCase();
  // Windows drops dots and blanks at the end of each name.
  const parts = cleanPath(`/${slashed}`).split("/").slice(1)
    .map((part) => part.replace(/[. ]+$/, "")).filter((part) => part !== "");
  const isShare = slashed.startsWith("//");
  if (isShare && (parts.length < 2 || parts[0]!.includes(":"))) {
    throw new AddressError(
      "must have a share in the form \\\\server\\share\\path; a port has no place in it",
    );
  }
  return {
    normalised: `local:${isShare ? "//" : ""}${parts.join("/")}`,
    isOfHost: !isShare || OWN_NAMES.has(parts[0]!),
  };
}
