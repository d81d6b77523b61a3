// rest: and s3:, which name a web server. A user or password in them would be in every log.
import { normaliseHost, readAuthority } from "./host.ts";
import { AddressError, cleanPath, decodePath } from "./path.ts";
import type { ReadAddress } from "./read.ts";

interface WebUrl {
  scheme: "http" | "https";
  /** As normalised: host and port. */
  host: string;
  /** Percent signs decoded. */
  path: string;
  /** The same URL with its scheme in small letters: restic's s3: does not know HTTP://. */
  url: string;
}

export function readRest(rest: string): ReadAddress {
  const example = "rest:https://host:8000/path/";
  const { scheme, host, path, url } = readWebUrl(rest, example);
  const clean = cleanPath(`/${path}`);
  return { url, normalised: `${scheme}://${host}${clean === "/" ? "" : clean}` };
}

export function readS3(rest: string): ReadAddress {
  const example = "s3:https://host/bucket/path or s3:host/bucket";
  const web = /^https?:\/\//i.test(rest)
    ? readWebUrl(rest, example)
    : { ...readEndpoint(rest, example), url: rest };
  const [, bucket = "", prefix = ""] = /^\/([^/]*)\/?(.*)$/s.exec(web.path) ?? [];
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{1,253}[A-Za-z0-9]$/.test(bucket) || /\.\.|:\d+$/.test(bucket)) {
    throw new AddressError(
      `must name a bucket of 3 or more letters, digits, dots and dashes right after the host, as in ${example}`,
    );
  }
  // A prefix that begins with a slash of its own is another place.
  const clean = prefix === "" ? "" : cleanPath(prefix);
  const path = clean === "" || clean === "." ? bucket : `${bucket}/${clean}`;
  return { url: web.url, normalised: `${web.scheme}://${web.host}/${path}` };
}

function readWebUrl(text: string, example: string): WebUrl {
  const [, scheme = "", slashed = "", authority = "", path = ""] =
    /^([a-z]+)(:\/\/)([^/?#\\]*)(.*)$/is.exec(text) ?? [];
  const lower = scheme.toLowerCase();
  if (lower !== "http" && lower !== "https") throw new AddressError(`must look like ${example}`);
  if (authority.includes("@")) throw noCredentials();
  const read = readAuthority(authority);
  if (!slashed || !read) throw new AddressError(`must look like ${example}`);
  refuseQuery(path);
  return {
    scheme: lower,
    host: normaliseHost(read, lower === "http" ? 80 : 443),
    path: decodePath(path),
    url: `${lower}${text.slice(scheme.length)}`,
  };
}

function refuseQuery(path: string): void {
  if (/[?#]/.test(path)) {
    throw new AddressError(
      "must not hold a query or a fragment; a ? of the path is %3F, a # is %23",
    );
  }
  if (/^\/*:\d*(\/|$)/.test(path)) {
    throw new AddressError("must have its port right after the host");
  }
  if (path.includes("\\")) throw new AddressError("must write a backslash of the path as %5C");
}

/** `s3:host:port/bucket` is https, and its percent signs stand for themselves. */
function readEndpoint(rest: string, example: string): Omit<WebUrl, "url"> {
  // restic takes all that begins with s3:http as a URL.
  if (/^http/i.test(rest)) {
    throw new AddressError(
      `must look like s3:https://host/bucket where the host begins with "http"`,
    );
  }
  const [, authority = "", path = ""] = /^(?:\/\/)?([^/]*)(\/.*)$/s.exec(rest) ?? [];
  if (authority.includes("@")) throw noCredentials();
  const read = readAuthority(authority);
  if (!read) throw new AddressError(`must look like ${example}`);
  return { scheme: "https", host: normaliseHost(read, 443), path };
}

export function noCredentials(): AddressError {
  return new AddressError(
    "must not hold a user and password; put them into the fields for user and password",
  );
}
