// Globs over addresses of repositories. Both sides are normalised alike (shared/repository_url.ts), so that no other spelling of
// an address gets past a list and none that was meant is missed.
import { parseRepositoryUrl } from "../../shared/repository_url.ts";

const SCHEMES = "local|rest|s3|sftp|b2|azure|gs|swift|rclone";
/**
 * What else says where the data goes: `azure:` and `swift:` do not name whose storage it is. Such a value is held against the same
 * list, written as `NAME=value`.
 */
export const PLACE_NAMES: Record<string, readonly string[]> = {
  azure: ["AZURE_ACCOUNT_NAME", "AZURE_ENDPOINT_SUFFIX"],
  swift: ["OS_AUTH_URL", "OS_STORAGE_URL", "ST_AUTH"],
};
const PLACES = Object.values(PLACE_NAMES).flat().join("|");

// Letters that no normalising changes stand for * and ** while the rest of a pattern is read as an address.
const ONE = "zqstarqz";
const ALL = "zqstarstarqz";

/**
 * A test for normalised addresses. `*` is any part without a slash, so that it never reaches from a host into a path; at the
 * end, after a slash or a colon, and as `**` it is everything. Throws a RangeError that says what is accepted.
 */
export function readGlob(text: string): RegExp {
  const given = text.trim();
  if (/\p{Cc}/u.test(given) || /(^|[\\/])\.\.([\\/]|$)/.test(given)) {
    throw new RangeError("must be an address without line breaks and without ..");
  }
  const marked = given.replace(/(^|[/\\:])\*$/, `$1${ALL}`).replaceAll("**", ALL)
    .replaceAll("*", ONE);
  return new RegExp(`^${asPattern(normalised(marked))}$`, "su");
}

function normalised(marked: string): string {
  if (marked === ALL || new RegExp(`^(?:${PLACES})=.`).test(marked)) return marked;
  try {
    return parseRepositoryUrl(marked).normalised;
  } catch (error) {
    const [, scheme, rest] = new RegExp(`^(${SCHEMES}):(.+)$`, "is").exec(marked) ?? [];
    if (scheme && rest && marked.includes(ONE) || marked.includes(ALL)) {
      return scheme ? `${scheme.toLowerCase()}:${rest}` : refuse(error);
    }
    return refuse(error);
  }
}

function refuse(error: unknown): never {
  const why = error instanceof Error ? ` (as an address it ${error.message})` : "";
  throw new RangeError(
    `must be an address as restic takes it, such as rest:https://backup.example.org/* or /srv/restic, in which * stands for any part${why}`,
  );
}

function asPattern(text: string): string {
  return text.split(new RegExp(`(${ALL}|${ONE})`)).map((part) =>
    part === ALL ? ".*" : part === ONE ? "[^/]*" : RegExp.escape(part)
  ).join("");
}
