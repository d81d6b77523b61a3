// Every setting of the server in one table: name, default, what is accepted, what it is for.
import ipaddr from "ipaddr.js";
import { isAbsolute, join, resolve } from "node:path";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

export interface Settings {
  listen: { hostname: string; port: number };
  dataDir: string;
  /** Where browsers and agents reach the server, without a slash at the end; null: taken from each request. */
  baseUrl: string | null;
  secretKeyFile: string;
  /** Addresses whose X-Forwarded-* are believed. */
  trustedProxies: [ipaddr.IPv4 | ipaddr.IPv6, number][];
  /** null: whenever the base URL or the forwarded protocol is https. */
  cookieSecure: boolean | null;
  logLevel: LogLevel;
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
];

export function settingsHelp(): string {
  return TABLE.map(({ name, fallback, about }) =>
    `  ${name.padEnd(20)} ${about}${fallback ? ` (default: ${fallback})` : ""}`
  ).join("\n");
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
    logLevel: readLogLevel(value("RM_LOG_LEVEL")),
  };
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

function readLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text);
  if (!level) throw refuse("RM_LOG_LEVEL", text, `one of ${LOG_LEVELS.join(", ")}`);
  return level;
}
