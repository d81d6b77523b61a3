// Forms of `name:path`: buckets, containers and rclone's remotes.
import { AddressError, cleanPath } from "./path.ts";
import type { ReadAddress } from "./read.ts";

/** Neither an option nor a path, and nothing that the service could be told on a command line. */
const NAME = /^[\p{L}\p{N}_][^:/\\,]*$/u;

/** b2:bucket:path; the path may be left out. restic refuses other names than these. */
export function readB2(rest: string): ReadAddress {
  const [name, path = ""] = cut(rest);
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{5,62}$/.test(name)) {
    throw new AddressError(
      "must look like b2:bucket:path, with a bucket of 6 to 63 letters, digits and dashes",
    );
  }
  return keyed(rest, name, belowRoot(path));
}

/** azure:container:/path and gs:bucket:/path, where path and /path are one. */
export function readContainer(rest: string, example: string): ReadAddress {
  const [name, path] = cut(rest);
  if (path === undefined || !NAME.test(name)) throw new AddressError(`must look like ${example}`);
  return keyed(rest, name, belowRoot(path));
}

/** swift:container:/path: without the slash restic refuses it, and a second slash is a part of the name. */
export function readSwift(rest: string): ReadAddress {
  const [name, path = ""] = cut(rest);
  if (!NAME.test(name) || !path.startsWith("/")) {
    throw new AddressError("must look like swift:container:/path");
  }
  return keyed(rest, name, cleanPath(path.slice(1)));
}

/**
 * rclone:remote:path. Only a remote from the host's own rclone.conf: one that is made up in the address
 * (":sftp,ssh=…:path"), or one with options ("remote,option=…:path"), can run programs. Where remotes know a home folder
 * path and /path are two places.
 */
export function readRclone(rest: string): ReadAddress {
  const [name, path] = cut(rest);
  // As rclone's own check of names (fs/config), without a leading dash.
  if (
    path === undefined || !/^[\p{L}\p{N}_.+@](?:[\p{L}\p{N}_.+@ -]*[\p{L}\p{N}_.+@-])?$/u.test(name)
  ) {
    throw new AddressError(
      "must look like rclone:remote:path, with the name of a remote from the host's rclone.conf and without options",
    );
  }
  return keyed(rest, name, cleanPath(path));
}

function cut(rest: string): [string, string | undefined] {
  const colon = rest.indexOf(":");
  if (/^[^:]*:\s*\p{Nd}+:/u.test(rest)) {
    throw new AddressError("must not hold a port: this form has none");
  }
  return colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1)];
}

/** restic takes one slash off a cleaned path. */
function belowRoot(path: string): string {
  return cleanPath(path).replace(/^\//, "");
}

function keyed(url: string, name: string, path: string): ReadAddress {
  return { url, normalised: `${name}:${path === "." ? "" : path}` };
}
