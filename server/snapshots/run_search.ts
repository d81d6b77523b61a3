// Runs a search: each repository by a host of it that is online, some snapshots at a time, the newest first, so that others get their turn on the
// agent's streams in between and a search is over when its person leaves.
import {
  FIND_BYTES_LIMIT,
  FIND_LINE_LIMIT,
  FIND_MATCHES_LIMIT,
  FIND_RUN_MS,
  FIND_SNAPSHOTS_LIMIT,
  type FindEnd,
  FindLine,
  type FindMatchLine,
} from "../../shared/find.ts";
import type { FoundFile } from "../../shared/shapes/find.ts";
import { type AgentStream, StreamError } from "../agent_streams.ts";
import { AppError } from "../errors.ts";
import { pause } from "../pause.ts";
import type { Server } from "../server.ts";
import { noteReaderFault, READER_SENTENCES } from "./reader_errors.ts";
import type { Search } from "./search.ts";
import type { SearchedSnapshot } from "./search_targets.ts";
import { jsonLines, nonsense } from "./stream_lines.ts";
import { chooseReader, type ChosenReader } from "./tree_reader.ts";

const REPOSITORIES_AT_ONCE = 3;
/** Files of the snapshots of one run together, where they are known. */
const FILES_AT_ONCE = 2_000_000;
/** An agent that is busy is asked again so often, after so long. */
const BUSY_TRIES = 30;
const BUSY_MS = 1000;
/** Its reader may go away so often: another one goes on. */
const LOST_TRIES = 3;
const BOUNDS = { bytes: FIND_BYTES_LIMIT, lineBytes: FIND_LINE_LIMIT };

/** Resolves when nothing runs for it any more; what went wrong is in the search. */
export async function runSearch(server: Server, search: Search): Promise<void> {
  const left = Map.groupBy(search.targets, ({ repository_id }) => repository_id);
  const queue = [...left.values()];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await searchRepository(server, search, next);
    }
  };
  await Promise.all(Array.from({ length: REPOSITORIES_AT_ONCE }, work));
}

async function searchRepository(
  server: Server,
  search: Search,
  all: SearchedSnapshot[],
): Promise<void> {
  const batches = inBatches(all);
  for (const [n, batch] of batches.entries()) {
    const why = search.signal.aborted
      ? WHY_STOPPED[search.cut ? "cut" : String(search.signal.reason)] ?? WHY_STOPPED.stopped!
      : await searchBatch(server, search, batch);
    if (why === undefined) continue;
    const count = batches.slice(n).reduce(
      (sum, each) => sum + each.filter(({ key }) => !search.searched.has(key)).length,
      0,
    );
    const { repository_id, repository_name } = all[0]!;
    if (count > 0) {
      search.noteNotSearched({ repository_id, repository: repository_name, snapshots: count, why });
    }
    return;
  }
}

const WHY_STOPPED: Record<string, string> = {
  cut: "there were too many matches before they were reached",
  stopped: "the search was stopped before",
  timed_out: "the search took too long",
};

/** The newest alone, so that something is there soon. */
function inBatches(all: SearchedSnapshot[]): SearchedSnapshot[][] {
  const [first, ...rest] = all;
  const batches: SearchedSnapshot[][] = [[first!]];
  let files = Infinity;
  for (const each of rest) {
    files += each.files ?? 0;
    if (files > FILES_AT_ONCE || batches.at(-1)!.length >= FIND_SNAPSHOTS_LIMIT) {
      batches.push([]);
      files = each.files ?? 0;
    }
    batches.at(-1)!.push(each);
  }
  return batches;
}

/** Why it was not done; undefined when it was. */
async function searchBatch(
  server: Server,
  search: Search,
  batch: SearchedSnapshot[],
): Promise<string | undefined> {
  for (let tries = 1;; tries++) {
    let reader: ChosenReader | undefined;
    try {
      reader = await chooseReader(server, batch[0]!, "find");
      const stream = await openStream(search, reader, batch);
      await readMatches(stream, search, batch);
      return undefined;
    } catch (error) {
      if (search.signal.aborted) {
        return WHY_STOPPED[search.cut ? "cut" : String(search.signal.reason)];
      }
      if (error instanceof AppError) return error.message;
      if (!(error instanceof StreamError) || !reader) throw error;
      noteReaderFault(server, reader, { what: "a search", error });
      if (error.fault !== "lost" || tries >= LOST_TRIES) return sentence(error, reader, batch[0]!);
    }
  }
}

async function openStream(
  search: Search,
  reader: ChosenReader,
  batch: SearchedSnapshot[],
): Promise<AgentStream> {
  const { host: _, repository: __, ...criteria } = search.input;
  const request = {
    kind: "find" as const,
    repository_id: batch[0]!.repository_id,
    snapshots: batch.map(({ id }) => id),
    ...criteria,
  };
  const options = { signal: search.signal, silentMs: FIND_RUN_MS, wholeMs: FIND_RUN_MS };
  for (let tries = 0; tries < BUSY_TRIES; tries++) {
    const stream = reader.agent.streams.open(request, options);
    if (stream) return stream;
    await pause(BUSY_MS, search.signal);
    if (search.signal.aborted) break;
  }
  throw new StreamError("busy", "too many streams are open");
}

async function readMatches(
  stream: AgentStream,
  search: Search,
  batch: SearchedSnapshot[],
): Promise<void> {
  let end: FindEnd | undefined;
  let count = 0;
  for await (const line of jsonLines(stream, FindLine, BOUNDS)) {
    if (end) throw nonsense("lines after the last");
    if (!Array.isArray(line)) {
      end = line;
      continue;
    }
    if (++count > FIND_MATCHES_LIMIT) throw nonsense(`more than ${FIND_MATCHES_LIMIT} matches`);
    const snapshot = batch[line[0]];
    if (!snapshot) throw nonsense("a match in a snapshot that it was not asked for");
    // One who may see less is not told that there was more.
    if (snapshot.maySee(line[2]) && !search.add(foundFile(snapshot, line))) return;
  }
  if (!end) throw nonsense("no last line");
  if (end.missing.some((n) => !batch[n])) throw nonsense("a snapshot that it was not asked for");
  search.cut ||= end.cut;
  const { missing } = end;
  search.noteSearched(batch.filter((_, n) => !missing.includes(n)).map(({ key }) => key));
  if (missing.length === 0) return;
  const { repository_id, repository_name } = batch[0]!;
  search.noteNotSearched({
    repository_id,
    repository: repository_name,
    snapshots: missing.length,
    why: "a forget has removed them since the last list",
  });
}

function foundFile(
  { id, time, host, source, repository_id }: SearchedSnapshot,
  [, type, path, size, modified_at]: FindMatchLine,
): FoundFile {
  return {
    path,
    exact: !path.includes("\ufffd"),
    type,
    size,
    modified_at,
    snapshot_id: id,
    snapshot_at: time,
    host,
    host_id: source?.id ?? null,
    repository_id,
  };
}

function sentence(error: StreamError, reader: ChosenReader, snapshot: SearchedSnapshot): string {
  const { fault } = error;
  if (fault === "timed_out" || fault === "unread") {
    return `${reader.name}'s agent did not search them within ${FIND_RUN_MS / 1000} seconds`;
  }
  const known = READER_SENTENCES[fault as keyof typeof READER_SENTENCES];
  return known?.({ snapshot, reader }).message ??
    `${reader.name}'s agent could not search them. Why is in the server's log.`;
}
