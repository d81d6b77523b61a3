// Every setting of the server in one table: name, default, what is accepted, what it is for.
import ipaddr from "ipaddr.js";
import { isAbsolute, join, resolve } from "node:path";
import { LOG_FORMATS, LOG_LEVELS, type LogSettings, oneOf } from "../shared/log.ts";

export interface Settings extends LogSettings {
  listen: { hostname: string; port: number };
  dataDir: string;
  /** Where browsers and agents reach the server, without a slash at the end; null: taken from each request. */
  baseUrl: string | null;
  secretKeyFile: string;
  /** Addresses whose X-Forwarded-* are believed. */
  trustedProxies: [ipaddr.IPv4 | ipaddr.IPv6, number][];
  /** null: whenever the base URL or the forwarded protocol is https. */
  cookieSecure: boolean | null;
  quotas: Quotas;
  downloads: DownloadSettings;
}

/** What people may have of snapshots through the server. */
export interface DownloadSettings {
  /** Of downloads and previews alike. */
  allowed: boolean;
  largestBytes: number;
  perUser: number;
  inAll: number;
  /** How long one lasts at most: a forget or prune of its repository waits for it. */
  hours: number;
}

/** What one host may take at most, and how long what it took is kept. Days are those of UTC by the server's clock. */
export interface Quotas {
  linesPerJob: number;
  lineBytesPerJob: number;
  linesPerDay: number;
  lineBytesPerDay: number;
  jobsPerDay: number;
  auditRowsPerDay: number;
  snapshots: number;
  handshakesPerMinute: number;
  /** Free bytes of the disk below which only the ends of jobs, logins and removals are stored. */
  diskReserve: number;
  keepLinesDays: number;
  keepLinesOfFailedDays: number;
}

/** A setting is wrong; the message is one sentence that names the variable, the value and what is accepted. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

interface Row {
  name: string;
  fallback: string;
  about: string;
}

const TABLE: Row[] = [
  { name: "RM_LISTEN", fallback: "127.0.0.1:8080", about: "address:port to listen on" },
  { name: "RM_DATA_DIR", fallback: "./data", about: "folder of the database and the key" },
  {
    name: "RM_BASE_URL",
    fallback: "",
    about:
      "URL that browsers and agents use, such as https://backup.example.org; set it when the server is not only on loopback",
  },
  {
    name: "RM_SECRET_KEY_FILE",
    fallback: "",
    about:
      "file of the 32-byte key that seals stored secrets (default: secret.key in the data folder; made on the first start)",
  },
  {
    name: "RM_TRUSTED_PROXY",
    fallback: "",
    about:
      "CIDRs, separated by commas, of reverse proxies whose X-Forwarded-For, -Proto and -Host are believed",
  },
  {
    name: "RM_COOKIE_SECURE",
    fallback: "auto",
    about: "auto, true or false: whether cookies are sent over https only",
  },
  { name: "RM_LOG_LEVEL", fallback: "info", about: LOG_LEVELS.join(", ") },
  {
    name: "RM_LOG_FORMAT",
    fallback: "text",
    about: "text or json: what is logged, as lines of text or one object of JSON a line",
  },
  { name: "RM_LINES_PER_JOB", fallback: "200000", about: "lines kept of a job's log" },
  { name: "RM_LINE_BYTES_PER_JOB", fallback: "50MB", about: "bytes kept of a job's log" },
  { name: "RM_LINES_PER_HOST_DAY", fallback: "2000000", about: "lines kept of a host and day" },
  { name: "RM_LINE_BYTES_PER_HOST_DAY", fallback: "500MB", about: "the same in bytes" },
  {
    name: "RM_JOBS_PER_HOST_DAY",
    fallback: "5000",
    about: "jobs that a host's own clock may start in a day",
  },
  {
    name: "RM_AUDIT_ROWS_PER_HOST_DAY",
    fallback: "1000",
    about: "rows that a host may cause in the audit in a day",
  },
  { name: "RM_SNAPSHOTS_PER_HOST", fallback: "20000", about: "snapshots kept of a host's list" },
  {
    name: "RM_HANDSHAKES_PER_MINUTE",
    fallback: "30",
    about: "connections of an agent in a minute, by host, or by network where the host is unknown",
  },
  {
    name: "RM_DISK_RESERVE",
    fallback: "256MiB",
    about:
      "free space below which only ends of jobs, logins and removals are stored; 0 for no reserve",
  },
  {
    name: "RM_KEEP_LINES_DAYS",
    fallback: "90",
    about: "days after which the lines of a job are removed",
  },
  {
    name: "RM_KEEP_LINES_OF_FAILED_DAYS",
    fallback: "365",
    about: "the same for jobs that did not succeed",
  },
  {
    name: "RM_DOWNLOADS",
    fallback: "on",
    about: "on or off: whether admins may download and preview files of snapshots",
  },
  { name: "RM_DOWNLOAD_BYTES", fallback: "100GiB", about: "the largest download" },
  { name: "RM_DOWNLOADS_PER_USER", fallback: "3", about: "downloads of one user at once" },
  { name: "RM_DOWNLOADS_IN_ALL", fallback: "8", about: "downloads of all users at once" },
  {
    name: "RM_DOWNLOAD_HOURS",
    fallback: "12",
    about: "how long a download lasts at most; forget and prune of its repository wait for it",
  },
];

export function settingsHelp(): string {
  return TABLE.map(({ name, fallback, about }) =>
    `  ${name.padEnd(30)} ${about}${fallback ? ` (default: ${fallback})` : ""}`
  ).join("\n");
}

/** Of faults that come before the other settings are read; what is no format is text here. */
export function logFormatOf(env: (name: string) => string | undefined): LogSettings["logFormat"] {
  try {
    return readOneOf(LOG_FORMATS, "RM_LOG_FORMAT", readOne("RM_LOG_FORMAT", env));
  } catch {
    return "text";
  }
}

/** Reads the settings; each may come from a file named by its `_FILE` twin. Throws SettingsError. */
export function readSettings(env: (name: string) => string | undefined): Settings {
  const value = (name: string) => readOne(name, env);
  const dataDir = resolve(value("RM_DATA_DIR"));
  const keyFile = value("RM_SECRET_KEY_FILE") || join(dataDir, "secret.key");
  return {
    listen: readListen(value("RM_LISTEN")),
    dataDir,
    baseUrl: readBaseUrl(value("RM_BASE_URL")),
    secretKeyFile: isAbsolute(keyFile) ? keyFile : resolve(keyFile),
    trustedProxies: readProxies(value("RM_TRUSTED_PROXY")),
    cookieSecure: readCookieSecure(value("RM_COOKIE_SECURE")),
    logLevel: readOneOf(LOG_LEVELS, "RM_LOG_LEVEL", value("RM_LOG_LEVEL")),
    logFormat: readOneOf(LOG_FORMATS, "RM_LOG_FORMAT", value("RM_LOG_FORMAT")),
    quotas: readQuotas(value),
    downloads: readDownloads(value),
  };
}

function readDownloads(value: (name: string) => string): DownloadSettings {
  const count = (name: string, most: number) => readCount(name, value(name), 1, most);
  return {
    allowed: readOneOf(["on", "off"], "RM_DOWNLOADS", value("RM_DOWNLOADS")) === "on",
    largestBytes: readBytes("RM_DOWNLOAD_BYTES", value("RM_DOWNLOAD_BYTES"), 1),
    perUser: count("RM_DOWNLOADS_PER_USER", DOWNLOADS_LIMIT),
    inAll: count("RM_DOWNLOADS_IN_ALL", DOWNLOADS_LIMIT),
    hours: count("RM_DOWNLOAD_HOURS", 168),
  };
}

function readQuotas(value: (name: string) => string): Quotas {
  const count = (name: string, least = 1) => readCount(name, value(name), least);
  const bytes = (name: string, least = 1) => readBytes(name, value(name), least);
  return {
    linesPerJob: count("RM_LINES_PER_JOB"),
    lineBytesPerJob: bytes("RM_LINE_BYTES_PER_JOB"),
    linesPerDay: count("RM_LINES_PER_HOST_DAY"),
    lineBytesPerDay: bytes("RM_LINE_BYTES_PER_HOST_DAY"),
    jobsPerDay: count("RM_JOBS_PER_HOST_DAY"),
    auditRowsPerDay: count("RM_AUDIT_ROWS_PER_HOST_DAY"),
    snapshots: count("RM_SNAPSHOTS_PER_HOST"),
    handshakesPerMinute: count("RM_HANDSHAKES_PER_MINUTE"),
    diskReserve: bytes("RM_DISK_RESERVE", 0),
    keepLinesDays: count("RM_KEEP_LINES_DAYS"),
    keepLinesOfFailedDays: count("RM_KEEP_LINES_OF_FAILED_DAYS"),
  };
}

const LARGEST_COUNT = 1_000_000_000;
/** Beside folders that are looked at: there are 32 streams of agents in all. */
const DOWNLOADS_LIMIT = 24;

function readCount(name: string, text: string, least: number, most = LARGEST_COUNT): number {
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number >= least && number <= most) return number;
  throw refuse(name, text, `a whole number from ${least} to ${most}`);
}

const UNITS: Record<string, number> = {
  "": 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

function readBytes(name: string, text: string, least: number): number {
  const match = /^(\d{1,15}) ?([KMG]i?B)?$/.exec(text);
  const number = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? NaN);
  if (match && Number.isSafeInteger(number) && number >= least) return number;
  throw refuse(name, text, "a number of bytes, such as 50000000, 50MB or 256MiB");
}

function readOne(name: string, env: (name: string) => string | undefined): string {
  const direct = env(name);
  // RM_SECRET_KEY_FILE already names a file.
  const file = name.endsWith("_FILE") ? undefined : env(`${name}_FILE`);
  if (direct !== undefined && file !== undefined) {
    throw new SettingsError(`Set ${name} or ${name}_FILE, not both.`);
  }
  if (file !== undefined) {
    try {
      return Deno.readTextFileSync(file).trim();
    } catch (error) {
      throw refuse(`${name}_FILE`, file, `a readable file (${(error as Error).message})`);
    }
  }
  return direct?.trim() || TABLE.find((row) => row.name === name)!.fallback;
}

function refuse(name: string, value: string, accepted: string): SettingsError {
  return new SettingsError(`${name} is "${value}", but must be ${accepted}.`);
}

function readListen(text: string): Settings["listen"] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) {
    throw refuse("RM_LISTEN", text, "address:port, such as 127.0.0.1:8080 or [::]:8080");
  }
  return { hostname: match[1] || match[2] || "0.0.0.0", port };
}

function readBaseUrl(text: string): string | null {
  if (!text) return null;
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch { /* said below */ }
  const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.search &&
    !url.hash &&
    url.pathname === "/";
  if (!plain) {
    throw refuse(
      "RM_BASE_URL",
      text,
      "an http or https URL without a path, such as https://backup.example.org",
    );
  }
  return url!.origin;
}

function readProxies(text: string): Settings["trustedProxies"] {
  return text.split(",").map((part) => part.trim()).filter(Boolean).map((part) => {
    try {
      return ipaddr.parseCIDR(
        part.includes("/") ? part : `${part}/${part.includes(":") ? 128 : 32}`,
      );
    } catch {
      throw refuse(
        "RM_TRUSTED_PROXY",
        text,
        "addresses or CIDRs separated by commas, such as 10.0.0.0/8, ::1",
      );
    }
  });
}

function readCookieSecure(text: string): boolean | null {
  if (text === "auto") return null;
  if (text === "true" || text === "false") return text === "true";
  throw refuse("RM_COOKIE_SECURE", text, "auto, true or false");
}

function readOneOf<T extends string>(known: readonly T[], name: string, text: string): T {
  const value = oneOf(known, text);
  if (!value) throw refuse(name, text, `one of ${known.join(", ")}`);
  return value;
}
