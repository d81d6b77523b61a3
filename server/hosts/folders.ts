// What lies in a folder of a host, asked of its agent while someone waits, for the choice of what to back up. Names alone: an operator sees
// what an admin approved, and no link leads him elsewhere, since the agent resolves them and holds the answer against the same folders.
import { posix, win32 } from "node:path";
import { FOLDER_ENTRIES_LIMIT, FolderLine } from "../../shared/folder.ts";
import { isBelow } from "../../shared/roots.ts";
import { type AgentStream, StreamError, type StreamFault } from "../agent_streams.ts";
import { AppError } from "../errors.ts";
import { isRestricted } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { refuseDoubted } from "./instances.ts";
import type { Folder, FolderEntry } from "../../shared/shapes/folder.ts";

/** Someone waits for it. */
const WHOLE_MS = 15_000;
/** More than an agent that cuts its list ever sends. */
const BYTES_LIMIT = 2_200_000;
const ROOTS_NAMED = 10;

interface Asked {
  name: string;
  path: string;
}

/**
 * Names and types of what lies in a folder of the host. Throws not_found (the host, or with the field path the folder), invalid, forbidden,
 * conflict (two machines use its identity), too_many, agent_offline, agent_timeout, agent_failed.
 */
export async function listFolder(
  server: Server,
  actor: Actor,
  hostId: string,
  { path, signal }: { path: string; signal?: AbortSignal },
): Promise<Folder> {
  const host = await server.db.selectFrom("hosts")
    .select(["name", "os", "approved_roots", "doubted_since"])
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  refuseDoubted(host);
  refuseOtherPaths(path, host.os);
  const within = isRestricted(actor) ? JSON.parse(host.approved_roots) as string[] : null;
  if (within) refuseUnapproved(path, within, host.os);
  const asked = { name: host.name, path };
  const stream = openFolder(server, hostId, asked, { within, signal });
  try {
    const { items, cut, not_text } = parse(await readAll(stream));
    return { path, items: sorted(items), next_cursor: null, cut, not_text };
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    noteFault(server, hostId, asked, error);
    throw asAppError(error.fault, asked, within);
  }
}

function refuseOtherPaths(path: string, os: string): void {
  const { isAbsolute } = os === "windows" ? win32 : posix;
  const isPlain = os !== "windows" || /^([A-Za-z]:[\\/]|\\\\[^\\/?.])/.test(path);
  const refuse = (sentence: string) => new AppError("invalid", `path ${sentence}`, "path");
  if (!isAbsolute(path) || !isPlain) {
    throw refuse(
      os === "windows"
        ? "must be an absolute path of this host, such as C:\\Users or \\\\server\\share."
        : "must be an absolute path of this host, such as /home.",
    );
  }
  if (/(^|[\\/])\.\.([\\/]|$)/.test(os === "windows" ? path : path.replaceAll("\\", "_"))) {
    throw refuse("must be written without .., which links lead elsewhere.");
  }
}

function refuseUnapproved(path: string, roots: string[], os: string): void {
  if (isBelow(path, roots, os)) return;
  const named = `${roots.slice(0, ROOTS_NAMED).join(", ")}${
    roots.length > ROOTS_NAMED ? ", …" : ""
  }`;
  throw new AppError(
    "forbidden",
    roots.length === 0
      ? "path must be below a folder that an admin approved for this host, and none is: an admin does that in the host's settings."
      : `path must be below a folder that an admin approved for this host: ${named}.`,
    "path",
  );
}

function openFolder(
  server: Server,
  hostId: string,
  { name, path }: Asked,
  { within, signal }: { within: string[] | null; signal: AbortSignal | undefined },
): AgentStream {
  const [agent] = server.agents.of(hostId);
  if (!agent) throw offline(name);
  const { streams } = agent;
  if (!agent.streamKinds?.includes("folder")) {
    throw new AppError(
      "agent_failed",
      `${name}'s agent is of an earlier version, which lists no folders. Update it.`,
    );
  }
  if (streams.isOpen("folder")) {
    throw tooMany(`Another folder of ${name} is being listed. Try again in a moment.`);
  }
  let stream;
  try {
    stream = streams.open({ kind: "folder", path, within }, { signal, wholeMs: WHOLE_MS });
  } catch (error) {
    if (error instanceof StreamError) throw offline(name);
    throw error;
  }
  if (stream) return stream;
  throw tooMany(
    streams.size > 0
      ? `${name}'s agent has not ended what it was asked before, perhaps because a disk there does not answer. Try again later.`
      : "Too much is being read from agents at once. Try again in a moment.",
  );
}

/** How many lines a whole list has at most. */
const LINES_LIMIT = FOLDER_ENTRIES_LIMIT + 1;

async function readAll(stream: AgentStream): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parts: string[] = [];
  let bytes = 0;
  let lines = 0;
  for await (const piece of stream) {
    bytes += piece.length;
    for (const byte of piece) if (byte === 10) lines++;
    if (lines > LINES_LIMIT) throw nonsense(`more than ${FOLDER_ENTRIES_LIMIT} entries`);
    if (bytes > BYTES_LIMIT) throw nonsense(`more than ${BYTES_LIMIT} bytes`);
    try {
      parts.push(decoder.decode(piece, { stream: true }));
    } catch {
      throw nonsense("bytes that are no UTF-8");
    }
  }
  return parts.join("");
}

type Listing = Omit<Folder, "path" | "next_cursor">;

function parse(text: string): Listing {
  const items: FolderEntry[] = [];
  let rest: Pick<Folder, "cut" | "not_text"> | undefined;
  for (const line of text.split("\n").filter(Boolean)) {
    if (rest) throw nonsense("lines after the last");
    const read = readLine(line);
    if (!Array.isArray(read)) rest = read;
    else if (items.length < FOLDER_ENTRIES_LIMIT) {
      items.push({ type: read[0], name: read[1].toWellFormed() });
    } else throw nonsense(`more than ${FOLDER_ENTRIES_LIMIT} entries`);
  }
  if (!rest) throw nonsense("no last line");
  return { items, ...rest };
}

function readLine(line: string): FolderLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw nonsense("a line that is no JSON");
  }
  const { success, data } = FolderLine.safeParse(value);
  if (!success) throw nonsense("a line that is no entry");
  return data;
}

/** What the agent sent is no listing. */
function nonsense(what: string): StreamError {
  return new StreamError("failed", `it sent ${what}`);
}

function sorted(items: FolderEntry[]): FolderEntry[] {
  const rank = ({ type }: FolderEntry) => type === "folder" ? 0 : 1;
  return items.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** What an agent says in words is for the log, in its share of it. */
function noteFault(server: Server, hostId: string, asked: Asked, { fault, message }: StreamError) {
  if (fault !== "failed" && fault !== "unsupported" && fault !== "timed_out") return;
  const line = server.paces.logLine(hostId, `folder ${asked.path}: ${message}`);
  if (line !== undefined) server.log.warn(`${asked.name}: ${line}`);
}

/** Sentences of ours, whatever the agent said. */
const SENTENCES: Record<StreamFault, (asked: Asked, within: string[] | null) => AppError> = {
  not_found: ({ name, path }) =>
    new AppError("not_found", `There is no folder ${path} on ${name}.`, "path"),
  not_a_folder: ({ name, path }) => wrongPath(`must be a folder; ${path} on ${name} is none.`),
  is_link: ({ name, path }) =>
    wrongPath(
      `must be a folder; ${path} on ${name} is a link, which is not followed. Name the folder that it leads to.`,
    ),
  not_absolute: ({ name }) =>
    wrongPath(`must be an absolute path as ${name} writes it, without .. in it.`),
  access_denied: ({ name, path }) =>
    wrongPath(
      `must be a folder that the agent may read; the system of ${name} does not let it read ${path}.`,
    ),
  outside: ({ name, path }, within) =>
    new AppError(
      "forbidden",
      within
        ? `path must be below a folder that an admin approved for this host; on ${name} a link in ${path} leads elsewhere.`
        : `${name}'s agent did not list ${path}.`,
      "path",
    ),
  refused_by_machine: ({ name }) =>
    new AppError(
      "forbidden",
      `path must lie in one of the folders that the owner of ${name} allows (roots in agent.yaml there).`,
      "path",
    ),
  busy: ({ name }) =>
    tooMany(`${name}'s agent is busy with other requests. Try again in a moment.`),
  lost: ({ name }) => offline(name),
  given_up: ({ name }) => offline(name),
  cancelled: ({ name }) => offline(name),
  timed_out: tooLate,
  unread: tooLate,
  unsupported: failed,
  // Nothing of a folder of the host.
  no_credential: failed,
  no_snapshot: failed,
  not_a_file: failed,
  too_many_parts: failed,
  unreachable: failed,
  failed,
};

function asAppError(fault: StreamFault, asked: Asked, within: string[] | null): AppError {
  return SENTENCES[fault](asked, within);
}

function wrongPath(sentence: string): AppError {
  return new AppError("invalid", `path ${sentence}`, "path");
}

function tooLate({ name, path }: Asked): AppError {
  return new AppError(
    "agent_timeout",
    `${name}'s agent did not list ${path} within ${
      WHOLE_MS / 1000
    } seconds. Perhaps the disk or share does not answer.`,
  );
}

function failed({ name, path }: Asked): AppError {
  return new AppError(
    "agent_failed",
    `${name}'s agent could not list ${path}. Why is in the server's log.`,
  );
}

function offline(name: string): AppError {
  return new AppError("agent_offline", `${name} is offline: its folders cannot be looked at now.`);
}

function tooMany(sentence: string): AppError {
  const error = new AppError("too_many", sentence);
  error.retryAfter = 2;
  return error;
}
