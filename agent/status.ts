// `status`: what there is, without touching it, also while an agent runs.
import { join } from "node:path";
import { readAnnouncement } from "./announcement.ts";
import { type Brake, NO_BRAKE } from "./brake/brake.ts";
import { readIdentity } from "./identity.ts";
import { isThere, readIfThere } from "./files.ts";
import { messageOf, oneLine } from "../shared/log.ts";
import { BAD_NAME } from "./state/aside.ts";
import { jsonAs, probe, reasonOf } from "./state/folder.ts";
import { PROBLEMS_FILE, StoredProblems } from "./state/problems.ts";
import { ResticFinder } from "./restic/version.ts";
import { serviceOfThisSystem } from "./service/commands.ts";
import type { Settings } from "./settings.ts";

export interface Status {
  /**
   * A name, spaces up to column 18, a value. Installers read `approval` (its value begins with `not needed`, `not asked for`,
   * `asking`, `waiting` or `rejected`) and `fingerprint` (`SHA256:` and 64 hex digits, or `none`).
   */
  lines: string[];
  /** Enrolled, and restic is there. */
  isReady: boolean;
}

export async function readStatus(settings: Settings): Promise<Status> {
  const restic = await new ResticFinder(settings.restic).find()
    .then(({ path, version }) => ({ found: true, text: `${version} at ${path}` }))
    .catch((error) => ({ found: false, text: messageOf(error) }));
  const isEnrolled = settings.bearer !== undefined;
  return {
    lines: [
      `configuration    ${settings.configDir}`,
      `state            ${settings.stateDir}`,
      `server           ${settings.server ?? "not set (RM_SERVER)"}`,
      `enrolled         ${isEnrolled ? "yes" : "no"}`,
      `host id          ${settings.hostId ?? "none"}`,
      `approval         ${isEnrolled ? "not needed" : approval(settings.stateDir)}`,
      `fingerprint      ${fingerprint(settings.stateDir)}`,
      `service          ${await serviceState()}`,
      `waiting reports  ${journalBytes(settings.stateDir)}`,
      `restic           ${oneLine(restic.text)}`,
      ...brakeLines(settings.brake ?? NO_BRAKE),
      ...problemLines(settings.stateDir),
    ],
    isReady: isEnrolled && restic.found,
  };
}

/** What the machine's owner allows. */
function brakeLines(brake: Brake): string[] {
  const word = (isAllowed: boolean) => isAllowed ? "allowed" : "refused (agent.yaml)";
  const list = (values: string[] | null, all: string) =>
    values === null ? all : `${oneLine(values.join(", ")) || "none"} (agent.yaml)`;
  return [
    `hooks            ${word(brake.allowHooks)}`,
    `in-place restore ${word(brake.allowRestoreInPlace)}`,
    `folders          ${list(brake.roots, "all")}`,
    `repositories     ${list(brake.repositories, "all")}`,
  ];
}

/** What the agent noted of its own files, and whether they can be written now. */
function problemLines(stateDir: string): string[] {
  if (!isThere(stateDir)) return [];
  const problems = storedProblems(stateDir);
  try {
    probe(stateDir);
  } catch (error) {
    problems.push(`${stateDir} cannot be written: ${reasonOf(error)}`);
  }
  const names = [...Deno.readDirSync(stateDir)].map(({ name }) => name);
  const aside = names.filter((name) => BAD_NAME.test(name)).sort();
  return [
    ...problems.map((text) => `problem          ${oneLine(text)}`),
    ...(aside.length > 0 ? [`put aside        ${oneLine(aside.join(", "))}`] : []),
  ];
}

function storedProblems(stateDir: string): string[] {
  const path = join(stateDir, PROBLEMS_FILE);
  try {
    const bytes = readIfThere(path);
    if (!bytes) return [];
    const { events, lasting } = jsonAs(StoredProblems)(bytes);
    return [...lasting, ...events.map(({ text }) => text)];
  } catch (error) {
    return [`${path} ${messageOf(error)}`];
  }
}

async function serviceState(): Promise<string> {
  try {
    return await serviceOfThisSystem().state();
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}

function approval(stateDir: string): string {
  const asked = readAnnouncement(stateDir);
  if (!asked) return "not asked for";
  const since = new Date(asked.since).toISOString();
  switch (asked.state) {
    case "asking":
      return `asking ${asked.server}, which has not answered yet, since ${since}`;
    case "waiting":
      return `waiting for an admin at ${asked.server} since ${since}`;
    case "rejected":
      return `rejected at ${since}: ${oneLine(asked.reason ?? "")}`;
    default:
      return asked.state satisfies never;
  }
}

function fingerprint(stateDir: string): string {
  try {
    return readIdentity(stateDir)?.fingerprint ?? "none";
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}

function journalBytes(stateDir: string): string {
  try {
    const directory = join(stateDir, "journal");
    const sizes = [...Deno.readDirSync(directory)].map(({ name }) =>
      Deno.statSync(join(directory, name)).size
    );
    return `${sizes.reduce((sum, size) => sum + size, 0)} bytes`;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "none" : `unknown (${messageOf(error)})`;
  }
}
