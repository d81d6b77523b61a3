// Where the agent keeps its things and whom it serves: the environment, and agent.yaml for what enrolment gave.
import { join } from "node:path";
import { isMap, parse, parseDocument } from "yaml";
import { z } from "zod";
import { type Brake, BRAKE_FIELDS, BRAKE_NAMES, brakeOf } from "./brake/brake.ts";
import {
  CorruptFile,
  makePrivateDirectory,
  readIfThere,
  removeIfThere,
  replaceFile,
  stampForName,
} from "./files.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogSettings, messageOf, oneOf } from "../shared/log.ts";

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
  ...BRAKE_FIELDS,
});
export type AgentFile = z.infer<typeof AgentFile>;
/** What joining may change. Nothing in this program writes the brake of the machine's owner. */
export type JoinedValues = Pick<
  AgentFile,
  "server" | "host_id" | "bearer" | "token_used" | "token_refused"
>;

export interface Settings extends LogSettings {
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
  /** What the machine's owner allows (agent.yaml); tests may leave it out. */
  brake?: Brake;
  /** Path of restic; undefined looks through PATH. */
  restic: string | undefined;
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
    brake: brakeOf(file),
    restic: get("RM_RESTIC"),
    logLevel: readOneOf(LOG_LEVELS, "RM_LOG_LEVEL", get("RM_LOG_LEVEL") ?? "info"),
    logFormat: readOneOf(LOG_FORMATS, "RM_LOG_FORMAT", get("RM_LOG_FORMAT") ?? "text"),
  };
}

export function agentFilePath(configDir: string): string {
  return join(configDir, "agent.yaml");
}

export function readAgentFile(configDir: string): AgentFile {
  const path = agentFilePath(configDir);
  const bytes = readWhole(path);
  if (!bytes) return {};
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = parse(text);
  } catch (error) {
    throw new CorruptFile(path, `is not YAML: ${messageOf(error).split("\n")[0]}`);
  }
  // A file of comments is one that a person wrote; nothing writes an empty one.
  const isComments = value === null && /^\s*#/m.test(text) && !/^\s*[^#\s]/m.test(text);
  if (value === null && !isComments) {
    throw new CorruptFile(path, "is empty, so what it allowed is not known");
  }
  const result = AgentFile.safeParse(value ?? {});
  if (result.success) return withBearer(path, result.data);
  const issue = result.error.issues[0];
  const where = issue?.path.join(".");
  throw new CorruptFile(path, `is not valid: ${where ? `${where}: ` : ""}${issue?.message}`);
}

function readWhole(path: string): Uint8Array | undefined {
  try {
    return readIfThere(path);
  } catch (error) {
    throw new CorruptFile(path, `cannot be read: ${messageOf(error)}`);
  }
}

/** Both are written in one step. */
function withBearer(path: string, file: AgentFile): AgentFile {
  if (file.host_id === undefined || file.bearer !== undefined) return file;
  throw new CorruptFile(path, "names a host and holds no bearer: it is cut or damaged");
}

export const ASIDE_FILE = "agent.yaml.before-";

/** Keeps a copy of agent.yaml beside it, as private as it is; returns its path. */
export function copyAgentFile(configDir: string): string {
  const aside = join(configDir, `${ASIDE_FILE}${stampForName()}`);
  replaceFile(aside, readIfThere(agentFilePath(configDir)) ?? "");
  return aside;
}

/**
 * Adds to agent.yaml what joining gave, and takes out what is undefined. Everything else stays as the machine's owner wrote it,
 * comments too.
 */
export function saveAgentFile(configDir: string, values: JoinedValues): void {
  makePrivateDirectory(configDir);
  // Refuses a file that cannot be read before anything is changed.
  const before = readAgentFile(configDir);
  const merged = { ...before, ...values };
  const text = withValues(textOf(configDir), merged);
  replaceFile(agentFilePath(configDir), text);
}

/**
 * Takes out of agent.yaml all that makes this machine a host, and leaves the brake of its owner for the day on which the agent is
 * installed again. Returns whether there was one; without one the file is removed.
 */
export function leaveBrakeAlone(configDir: string): boolean {
  const file = readAgentFile(configDir);
  const hasBrake = BRAKE_NAMES.some((name) => file[name] !== undefined);
  if (!hasBrake) {
    removeIfThere(agentFilePath(configDir));
    return false;
  }
  const brake = Object.fromEntries(BRAKE_NAMES.map((name) => [name, file[name]]));
  replaceFile(agentFilePath(configDir), withValues(textOf(configDir), brake));
  return true;
}

function textOf(configDir: string): string {
  return new TextDecoder().decode(readIfThere(agentFilePath(configDir)) ?? new Uint8Array());
}

/** The same document with these values and no others: lines that are not changed keep their form and their comments. */
function withValues(text: string, values: Record<string, unknown>): string {
  const document = parseDocument(text);
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  const before = (document.toJS() ?? {}) as Record<string, unknown>;
  for (const name of new Set([...Object.keys(before), ...Object.keys(values)])) {
    if (values[name] === undefined) document.delete(name);
    else if (before[name] !== values[name] && typeof values[name] === "string") {
      document.set(name, values[name]);
    }
  }
  return document.toString({ flowCollectionPadding: false, lineWidth: 0 });
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

function readOneOf<T extends string>(known: readonly T[], name: string, text: string): T {
  const value = oneOf(known, text);
  if (value) return value;
  throw new WrongSetting(`${name}: "${text}" must be one of ${known.join(", ")}.`);
}
