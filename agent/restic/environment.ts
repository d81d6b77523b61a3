// The environment of a restic process, built from empty: nothing of the agent's own gets in unless it stands here.
import { ENVIRONMENT_NAMES } from "../../shared/repository_environment.ts";
import type { RepositoryUrl } from "../../shared/repository_url.ts";
import { isAtLeast } from "./version.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

export interface EnvironmentOptions {
  repository: RepositoryAccess;
  url: RepositoryUrl;
  /** The version of restic that gets it. */
  version: string;
  cacheDir: string;
  /** Where the certificate authority of the repository lies, when it has one. */
  authorityFile?: string | undefined;
  /** The agent's own environment, of which a few names are passed on. */
  own: (name: string) => string | undefined;
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PASSED_ON = ["TMPDIR", "TZ", "LANG"];
const FOR_NETWORK = [
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
];
// Without these neither sockets nor temporary files work on Windows.
const WINDOWS_NAMES = [
  "SystemRoot",
  "SystemDrive",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramData",
  "ProgramFiles",
  "COMPUTERNAME",
  "PATHEXT",
  "ComSpec",
];

type Own = EnvironmentOptions["own"];

/** The least that a program needs: where programs, its home and its temporary files are. */
export function ownEnvironment(own: Own): Record<string, string> {
  const windows = Deno.build.os === "windows";
  return {
    PATH: own("PATH") ?? (windows ? "" : SEARCH_PATH),
    // A service has none: what root set up in a shell (rclone's remotes, .pgpass, ssh keys) is looked for here.
    HOME: own("HOME") ?? homeOf(own),
    ...passedOn(own, [...PASSED_ON, ...(windows ? WINDOWS_NAMES : [])]),
  };
}

/** Root's, or that of LocalSystem. */
function homeOf(own: Own): string {
  if (Deno.build.os === "windows") {
    return own("USERPROFILE") ?? "C:\\Windows\\System32\\config\\systemprofile";
  }
  try {
    const lines = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
    return lines.find(([, , uid]) => uid === String(Deno.uid()))?.[5] || "/root";
  } catch {
    return "/root";
  }
}

function passedOn(own: Own, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = own(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** Secrets go to restic here and nowhere else. */
export function buildEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { repository, url, own } = options;
  const environment: Record<string, string> = {
    ...ownEnvironment(own),
    ...passedOn(own, FOR_NETWORK),
    RESTIC_PASSWORD: repository.password,
    RESTIC_CACHE_DIR: options.cacheDir,
    // Newer versions print 60 status lines a second otherwise.
    RESTIC_PROGRESS_FPS: "1",
    ...restAccess(options),
  };
  for (const name of ENVIRONMENT_NAMES) {
    const value = repository.environment[name];
    if (value !== undefined) environment[name] = value;
  }
  // restic does not tell rclone of its own --cacert.
  if (url.backend === "rclone" && options.authorityFile) {
    environment.RCLONE_CA_CERT = options.authorityFile;
  }
  environment.RESTIC_REPOSITORY ??= url.url;
  return environment;
}

function restAccess({ repository, url, version }: EnvironmentOptions): Record<string, string> {
  const { username, rest_password: password } = repository;
  if (url.backend !== "rest" || !username) return {};
  if (isAtLeast(version, "0.16.1")) {
    return { RESTIC_REST_USERNAME: username, RESTIC_REST_PASSWORD: password ?? "" };
  }
  const access = `${encodeURIComponent(username)}:${encodeURIComponent(password ?? "")}@`;
  return { RESTIC_REPOSITORY: url.url.replace("//", () => `//${access}`) };
}
