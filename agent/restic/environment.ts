// The environment of a restic process, built from empty: nothing of the agent's own gets in unless it stands here.
import type { RepositoryAccess } from "../../shared/protocol.ts";
import { ENVIRONMENT_NAMES, type RepositoryUrl } from "../../shared/repository_url.ts";
import { isAtLeast } from "./version.ts";

export interface EnvironmentOptions {
  repository: RepositoryAccess;
  url: RepositoryUrl;
  /** The version of restic that gets it. */
  version: string;
  cacheDir: string;
  stateDir: string;
  /** The agent's own environment, of which a few names are passed on. */
  own: (name: string) => string | undefined;
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PASSED_ON = ["TMPDIR", "TZ", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"];
const PASSED_ON_PROXY = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);
// Without these neither sockets nor temporary files work on Windows.
const WINDOWS_NAMES = [
  "SystemRoot",
  "SystemDrive",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "ProgramData",
  "ProgramFiles",
  "COMPUTERNAME",
  "PATHEXT",
  "ComSpec",
];

/** Secrets go to restic here and nowhere else. */
export function buildEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { repository, url, own } = options;
  const windows = Deno.build.os === "windows";
  const environment: Record<string, string> = {
    PATH: own("PATH") ?? (windows ? "" : SEARCH_PATH),
    HOME: own("HOME") ?? options.stateDir,
    RESTIC_PASSWORD: repository.password,
    RESTIC_CACHE_DIR: options.cacheDir,
    // Newer versions print 60 status lines a second otherwise.
    RESTIC_PROGRESS_FPS: "1",
    ...restAccess(options),
  };
  const names = [...PASSED_ON, ...PASSED_ON_PROXY, ...(windows ? WINDOWS_NAMES : [])];
  for (const name of names) {
    const value = own(name);
    if (value !== undefined) environment[name] = value;
  }
  for (const name of ENVIRONMENT_NAMES) {
    const value = repository.environment[name];
    if (value !== undefined) environment[name] = value;
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
