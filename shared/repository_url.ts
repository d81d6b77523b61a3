// A repository URL is code if it reaches a command line unchecked (sftp:-oProxyCommand=…), so both the server and the
// agent read it here. What restic takes is taken; what it would read otherwise than it was meant is refused with the form
// that means it. Forms: restic's manual, "Preparing a new repository"; tests/shared/addresses compares with the real one.
import { readB2, readContainer, readRclone, readSwift } from "./addresses/bucket.ts";
import { isPath, readLocal } from "./addresses/local.ts";
import { AddressError, refuseUnprintable } from "./addresses/path.ts";
import type { ReadAddress } from "./addresses/read.ts";
import { readSftp } from "./addresses/sftp.ts";
import { readRest, readS3 } from "./addresses/web.ts";

export type Backend =
  | "local"
  | "rest"
  | "s3"
  | "sftp"
  | "b2"
  | "azure"
  | "gs"
  | "rclone"
  | "swift";

export interface RepositoryUrl {
  backend: Backend;
  /** As restic takes it; never holds a password. */
  url: string;
  /**
   * The same place written differently gives the same text: the key of leases, and whether a changed address is another
   * place. It never joins two machines, so a credential that is kept for one address goes to no other machine.
   */
  normalised: string;
  /** A path on the host: each host has a place of its own there, unless it is a mount that they share. */
  isOfHost: boolean;
}

const ACCEPTED =
  "an absolute path, or rest:, s3:, sftp:, b2:, azure:, gs:, rclone: or swift: followed by what restic expects";

const READERS: Record<Exclude<Backend, "local">, (rest: string) => ReadAddress> = {
  rest: readRest,
  s3: readS3,
  sftp: readSftp,
  b2: readB2,
  azure: (rest) => readContainer(rest, "azure:container:/path"),
  gs: (rest) => readContainer(rest, "gs:bucket:/path"),
  swift: readSwift,
  rclone: readRclone,
};

/** Reads a repository URL. Throws a RangeError whose message continues the field's name. */
export function parseRepositoryUrl(text: string): RepositoryUrl {
  const url = text.trim();
  if (url === "") throw new AddressError("must not be empty");
  if (url.length > 2048) throw new AddressError("must be at most 2048 characters");
  refuseUnprintable(url);
  const path = url.replace(/^local:/i, "");
  if (isPath(path)) return { backend: "local", url: path, ...readLocal(path) };
  const colon = url.indexOf(":");
  const scheme = url.slice(0, colon).toLowerCase();
  if (colon < 1 || !Object.hasOwn(READERS, scheme)) throw new AddressError(`must be ${ACCEPTED}`);
  const backend = scheme as keyof typeof READERS;
  const read = READERS[backend](url.slice(colon + 1));
  return {
    backend,
    url: `${backend}:${read.url}`,
    normalised: `${backend}:${read.normalised}`,
    isOfHost: false,
  };
}
