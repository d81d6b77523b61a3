// sftp: in restic's two forms. `sftp:user@host:path` has no port and no brackets, and takes its path as it stands;
// `sftp://user@host:port/path` is a URL. In both a path is below the user's home folder unless it begins with a slash of its
// own, which in the URL is the second one.
import { normaliseHost, readAuthority } from "./host.ts";
import { AddressError, cleanPath, decodePath } from "./path.ts";
import type { ReadAddress } from "./read.ts";
import { noCredentials } from "./web.ts";

const EXAMPLE =
  "sftp:user@host:/path or sftp://user@host:22//path (sftp:user@host:path and sftp://user@host/path begin at the home folder)";

export function readSftp(rest: string): ReadAddress {
  const read = rest.startsWith("//") ? readUrl(rest) : readScp(rest);
  const { user, host, port } = read;
  refuseUser(user);
  // ssh takes a host that begins with a dash as an option, which can run a program.
  if (!/^(\[.+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)$/.test(host)) {
    throw new AddressError(
      "must have a host of letters, digits, dots and dashes that does not begin with -",
    );
  }
  const path = cleanPath(read.path);
  if (path.startsWith("~")) {
    throw new AddressError(
      "must not have a path that begins with ~, which servers do not know; sftp:user@host:folder begins at the home folder",
    );
  }
  const who = user && `${user}@`;
  return { url: rest, normalised: `//${who}${normaliseHost({ host, port }, 22)}/${path}` };
}

function readUrl(rest: string) {
  const [, authority = "", path] = /^\/\/([^/?#\\]*)\/(.*)$/s.exec(rest) ?? [];
  const read = readAuthority(authority);
  if (path === undefined || !read) throw new AddressError(`must look like ${EXAMPLE}`);
  // restic cuts the path there and says nothing.
  if (/[?#]/.test(path)) throw new AddressError("must write a ? of the path as %3F and a # as %23");
  return { ...read, user: decodeUser(read.user), path: decodePath(path) };
}

function readScp(rest: string) {
  if (/^([^@]*@)*\[/.test(rest)) {
    throw new AddressError("must have an IPv6 address in the form sftp://user@[::1]:22//path");
  }
  const [, before = "", path] = /^([^:/]*):(.*)$/s.exec(rest) ?? [];
  if (path === undefined) throw new AddressError(`must look like ${EXAMPLE}`);
  const at = before.lastIndexOf("@");
  const [user, host] = [before.slice(0, Math.max(0, at)), before.slice(at + 1)];
  // sftp:ssh://host is a path on a host called ssh to restic.
  if (/^(ssh|sftp|scp|https?|file)$/i.test(before) && path.startsWith("//")) {
    throw new AddressError(`must look like ${EXAMPLE}`);
  }
  // user:password@host:path, which restic takes as a path on a host that is called like the user.
  if (/^[^/]*@/.test(path)) {
    throw new AddressError(
      `must not hold a password (ssh uses keys); a folder with an @ is sftp:${before}:./folder`,
    );
  }
  // restic cuts at the first two.
  if (before.split("@").length > 3) {
    throw new AddressError(
      "must have at most one @ in the user, or the form sftp://user@host//path",
    );
  }
  refusePort(path, before);
  return { user, host, port: "", path };
}

/** Digits behind the host are a port to anyone who wrote them and a folder to restic. */
function refusePort(path: string, before: string): void {
  const decoded = path.replace(/%3([0-9])/g, "$1");
  const first = /^[\s:+([]*(\p{Nd}+)[\s)\]]*(?=[:/\\]|$)/u.exec(decoded)?.[1];
  if (first === undefined || Number(ascii(first)) > 65_535) return;
  throw new AddressError(
    `must have a port in the form sftp://${before}:${
      ascii(first)
    }//path; a folder of that name is sftp:${before}:./${first}`,
  );
}

/** Digits of other scripts as 0 to 9: each script has its ten in a row. */
function ascii(digits: string): string {
  return digits.replace(/[^0-9]/gu, (digit) => {
    let value = 0;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(digit.codePointAt(0)! - value - 1))) {
      value++;
    }
    return String(value);
  });
}

function decodeUser(user: string): string {
  if (user.includes(":") || /%3a/i.test(user)) throw noCredentials();
  if (!/^(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9a-f]{2})*$/i.test(user)) {
    throw new AddressError("must have a user whose other characters are percent-encoded");
  }
  return decodePath(user);
}

function refuseUser(user: string): void {
  if (user.includes(":")) throw noCredentials();
  if (user !== "" && !/^[\p{L}\p{N}_.](?:[\p{L}\p{N}_.+@\\ -]*[\p{L}\p{N}_.+@-])?$/u.test(user)) {
    throw new AddressError(
      "must have a user of letters, digits and . _ + - @ \\ that does not begin with -",
    );
  }
}
