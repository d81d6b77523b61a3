// Where the agent keeps its things and whom it serves: the environment, and agent.yaml for what enrolment gave.
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import {
  CorruptFile,
  makePrivateDirectory,
  readIfThere,
  replaceFile,
  stampForName,
} from "./files.ts";
import { LOG_LEVELS, type LogLevel, messageOf } from "./log.ts";

/** A setting is wrong or missing: the program was called wrongly. */
export class WrongSetting extends Error {
  override name = "WrongSetting";
}

const AgentFile = z.strictObject({
  server: z.string().optional(),
  host_id: z.string().optional(),
  bearer: z.string().min(1).optional(),
  certificate_authority: z.string().optional(),
  /** SHA-256 of the token by which this machine last joined, and of one that its server refused for good. */
  token_used: z.string().optional(),
  token_refused: z.string().optional(),
});
export type AgentFile = z.infer<typeof AgentFile>;

export interface Settings {
  configDir: string;
  stateDir: string;
  server: string | undefined;
  hostId: string | undefined;
  bearer: string | undefined;
  /** One-time. */
  token: string | undefined;
  /** What agent.yaml says, where the environment may say something else. */
  stored?: AgentFile;
  /** Path of a PEM file that the server's certificate must lead to. */
  certificateAuthority: string | undefined;
  /** Path of restic; undefined looks through PATH. */
  restic: string | undefined;
  logLevel: LogLevel;
}

type Environment = (name: string) => string | undefined;

const windows = Deno.build.os === "windows";

/** Reads environment and agent.yaml. Throws WrongSetting or CorruptFile. */
export function readSettings(environment: Environment): Settings {
  const get = (name: string) => environment(name)?.trim() || undefined;
  const shared = windows ? `${get("ProgramData") ?? "C:\\ProgramData"}\\restic-manager` : undefined;
  const configDir = get("RM_CONFIG_DIR") ?? shared ?? "/etc/restic-manager";
  const file = readAgentFile(configDir);
  const server = get("RM_SERVER") ?? file.server;
  return {
    configDir,
    stateDir: get("RM_STATE_DIR") ?? shared ?? "/var/lib/restic-manager",
    server: server && readServer(server, get("RM_SERVER") ? "RM_SERVER" : agentFilePath(configDir)),
    hostId: file.host_id,
    bearer: file.bearer,
    token: get("RM_TOKEN") ?? readToken(get("RM_TOKEN_FILE")),
    stored: { ...file, ...(file.server ? { server: asServer(file.server) } : {}) },
    certificateAuthority: file.certificate_authority,
    restic: get("RM_RESTIC"),
    logLevel: readLogLevel(get("RM_LOG_LEVEL")),
  };
}

export function agentFilePath(configDir: string): string {
  return join(configDir, "agent.yaml");
}

export function readAgentFile(configDir: string): AgentFile {
  const path = agentFilePath(configDir);
  const bytes = readIfThere(path);
  if (!bytes) return {};
  let value: unknown;
  try {
    value = parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new CorruptFile(path, `is not YAML: ${messageOf(error).split("\n")[0]}`);
  }
  const result = AgentFile.safeParse(value ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join(".");
  throw new CorruptFile(path, `is not valid: ${where ? `${where}: ` : ""}${issue?.message}`);
}

export const ASIDE_FILE = "agent.yaml.before-";

/** Keeps a copy of agent.yaml beside it, as private as it is; answers its path. */
export function copyAgentFile(configDir: string): string {
  const aside = join(configDir, `${ASIDE_FILE}${stampForName()}`);
  replaceFile(aside, readIfThere(agentFilePath(configDir)) ?? "");
  return aside;
}

/** Adds to agent.yaml what enrolment gave; what an administrator wrote there stays. What is undefined is taken out. */
export function saveAgentFile(configDir: string, values: AgentFile): void {
  makePrivateDirectory(configDir);
  const merged = { ...readAgentFile(configDir), ...values };
  replaceFile(agentFilePath(configDir), stringify(merged));
}

/** What an administrator wrote there may be no address; it counts only where the environment says nothing. */
function asServer(text: string): string {
  try {
    return readServer(text, "");
  } catch {
    return text;
  }
}

function readServer(text: string, where: string): string {
  const accepted = "must be the server's address such as https://backup.example.org";
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new WrongSetting(`${where}: "${text}" ${accepted}.`);
  }
  if (!["http:", "https:"].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new WrongSetting(`${where}: the value ${accepted}, without user, query or fragment.`);
  }
  return url.href.replace(/\/+$/, "");
}

function readToken(path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return Deno.readTextFileSync(path).trim() || undefined;
  } catch (error) {
    throw new WrongSetting(`RM_TOKEN_FILE: ${path} cannot be read: ${messageOf(error)}.`);
  }
}

function readLogLevel(text: string | undefined): LogLevel {
  const level = LOG_LEVELS.find((known) => known === (text ?? "info").toLowerCase());
  if (level) return level;
  throw new WrongSetting(`RM_LOG_LEVEL: "${text}" must be one of ${LOG_LEVELS.join(", ")}.`);
}
