// A repository URL is code if it reaches a command line unchecked (sftp:-oProxyCommand=…), so both the server and the
// agent read it here. Forms: restic's manual, "Preparing a new repository".

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
  /** The same repository written differently gives the same text: the key of leases. */
  normalised: string;
}

const ACCEPTED =
  "an absolute path, or rest:, s3:, sftp:, b2:, azure:, gs:, rclone: or swift: followed by what restic expects";

/** Reads a repository URL. Throws a RangeError whose message continues the field's name. */
export function parseRepositoryUrl(text: string): RepositoryUrl {
  const url = text.trim();
  if (url === "") throw new RangeError("must not be empty");
  if (url.length > 2048) throw new RangeError("must be at most 2048 characters");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0020\u007f]/.test(url.replace(/ /g, isLocal(url) ? "_" : " "))) {
    throw new RangeError("must not hold spaces, line breaks or control characters");
  }
  if (isLocal(url)) return { backend: "local", url, normalised: normalisePath(url) };
  const colon = url.indexOf(":");
  const scheme = url.slice(0, colon).toLowerCase();
  const rest = url.slice(colon + 1);
  if (colon < 1 || !Object.hasOwn(READERS, scheme)) {
    throw new RangeError(`must be ${ACCEPTED}`);
  }
  const backend = scheme as keyof typeof READERS;
  return {
    backend,
    url: `${backend}:${rest}`,
    normalised: `${backend}:${READERS[backend](rest)}`,
  };
}

const READERS = {
  rest: (rest: string) => {
    const url = webUrl(rest, "rest:https://host:8000/path/");
    return `${url.protocol}//${url.host}${trimSlashes(url.pathname)}`;
  },
  s3: (rest: string) => {
    const example = "s3:https://host/bucket/path or s3:host/bucket";
    const url = webUrl(/^https?:\/\//i.test(rest) ? rest : `https://${rest}`, example);
    return `${url.protocol}//${url.host}${trimSlashes(url.pathname)}`;
  },
  sftp: (rest: string) => {
    const example = "sftp:user@host:/path or sftp://user@host:22/path";
    const match = rest.startsWith("//")
      ? /^\/\/(?:([^@/]*)@)?(\[[0-9a-f:.]+\]|[^:/@]+)(?::(\d{1,5}))?\/(.+)$/i.exec(rest)
      : /^(?:([^@/]*)@)?(\[[0-9a-f:.]+\]|[^:/@]+)():(.+)$/i.exec(rest);
    if (!match) throw new RangeError(`must look like ${example}`);
    const [, user = "", host = "", port = "", path = ""] = match;
    if (user.includes(":")) throw noCredentials();
    // ssh takes a host or user that begins with a dash as an option, which can run a program.
    if (!/^[A-Za-z0-9_.]?[A-Za-z0-9_.+-]*$/.test(user) || user.startsWith("-")) {
      throw new RangeError(
        "must have a user of letters, digits and . _ + - that does not begin with -",
      );
    }
    if (!/^(\[[0-9a-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)$/i.test(host)) {
      throw new RangeError(
        "must have a host of letters, digits, dots and dashes that does not begin with -",
      );
    }
    return `//${user && `${user}@`}${host.toLowerCase()}${
      port && port !== "22" ? `:${port}` : ""
    }/${trimSlashes(path)}`;
  },
  b2: (rest: string) => bucket(rest, "b2:bucket:path"),
  azure: (rest: string) => bucket(rest, "azure:container:/path"),
  gs: (rest: string) => bucket(rest, "gs:bucket:/path"),
  swift: (rest: string) => bucket(rest, "swift:container:/path"),
  // Only a remote from the host's own rclone.conf: a remote made up on the command line (":sftp,ssh=…:") can run programs.
  rclone: (rest: string) => bucket(rest, "rclone:remote:path"),
};

function isLocal(url: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\[^\\/])/.test(url);
}

function noCredentials(): RangeError {
  return new RangeError(
    "must not hold a user and password; put them into the fields for user and password",
  );
}

function webUrl(text: string, example: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RangeError(`must look like ${example}`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new RangeError(`must look like ${example}`);
  }
  if (url.username || url.password) throw noCredentials();
  if (url.search || url.hash) throw new RangeError("must not hold a query or a fragment");
  return url;
}

function bucket(rest: string, example: string): string {
  const match = /^([A-Za-z0-9_][A-Za-z0-9_.+@-]*):(.*)$/.exec(rest);
  if (!match) throw new RangeError(`must look like ${example}`);
  return `${match[1]}:${trimSlashes(match[2] ?? "")}`;
}

function normalisePath(path: string): string {
  const windows = !path.startsWith("/");
  const slashed = windows ? path.replaceAll("\\", "/").toLowerCase() : path;
  const parts: string[] = [];
  for (const part of slashed.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `local:${windows ? "" : "/"}${parts.join("/")}`;
}

function trimSlashes(path: string): string {
  return path.replace(/\/{2,}/g, "/").replace(/^\/|\/$/g, "").replace(/^(?=.)/, "/");
}

/** The environment variables that a backend may need and that may be stored with a repository. Anything else could run a program. */
export const ENVIRONMENT_NAMES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "B2_ACCOUNT_ID",
  "B2_ACCOUNT_KEY",
  "AZURE_ACCOUNT_NAME",
  "AZURE_ACCOUNT_KEY",
  "AZURE_ACCOUNT_SAS",
  "AZURE_ENDPOINT_SUFFIX",
  "GOOGLE_PROJECT_ID",
  "GOOGLE_ACCESS_TOKEN",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "OS_AUTH_URL",
  "OS_REGION_NAME",
  "OS_USERNAME",
  "OS_USER_ID",
  "OS_PASSWORD",
  "OS_TENANT_ID",
  "OS_TENANT_NAME",
  "OS_USER_DOMAIN_NAME",
  "OS_USER_DOMAIN_ID",
  "OS_PROJECT_NAME",
  "OS_PROJECT_DOMAIN_NAME",
  "OS_PROJECT_DOMAIN_ID",
  "OS_TRUST_ID",
  "OS_APPLICATION_CREDENTIAL_ID",
  "OS_APPLICATION_CREDENTIAL_NAME",
  "OS_APPLICATION_CREDENTIAL_SECRET",
  "OS_STORAGE_URL",
  "OS_AUTH_TOKEN",
  "SWIFT_DEFAULT_CONTAINER_POLICY",
  "ST_AUTH",
  "ST_USER",
  "ST_KEY",
] as const;
export type EnvironmentName = typeof ENVIRONMENT_NAMES[number];
