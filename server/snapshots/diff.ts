// What differs between two snapshots of one repository, for whoever may see both: read by restic once, then kept for a while as folders are.
import {
  DIFF_BYTES_LIMIT,
  DIFF_CHANGES_LIMIT,
  DIFF_LINE_LIMIT,
  type DiffEnd,
  DiffLine,
} from "../../shared/diff.ts";
import { shownName } from "../../shared/snapshot_path.ts";
import type { SnapshotDiff } from "../../shared/shapes/diff.ts";
import type { TreeReader } from "../../shared/shapes/tree.ts";
import { type AgentStream, StreamError } from "../agent_streams.ts";
import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import { numberCursor, type PageInput } from "../paging.ts";
import { isRestricted } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { auditedSnapshot } from "./audited.ts";
import { snapshotBefore } from "./before.ts";
import { DiffListing } from "./diff_listing.ts";
import { type FoundSnapshot, getSnapshot } from "./get.ts";
import { namesOf } from "./path_input.ts";
import { noteReaderFault, READER_SENTENCES, readerBusy } from "./reader_errors.ts";
import { jsonLines, nonsense } from "./stream_lines.ts";
import { chooseReader, type ChosenReader } from "./tree_reader.ts";
import { namesShown, refuseUnseen, seesPath } from "./tree_rights.ts";
import { textOfKey, type TreeKey } from "./trees.ts";

export interface DiffInput extends PageInput {
  path: string;
  q: string;
}

/** As for a folder (tree.ts): restic reads both snapshots where they differ. */
const WHOLE_MS = 150_000;
const LEFT_MS = 15_000;
const BOUNDS = { bytes: DIFF_BYTES_LIMIT, lineBytes: DIFF_LINE_LIMIT };

export interface Compared {
  /** Added is what `base` lacks. */
  snapshot: FoundSnapshot;
  base: FoundSnapshot;
}

/** Both, by id or the beginning of it; without `other` the one before. Throws invalid (field with), not_found and conflict. */
export async function getCompared(
  server: Server,
  { id, other, repository }: {
    id: string;
    other?: string | undefined;
    repository?: string | undefined;
  },
): Promise<Compared> {
  const snapshot = await getSnapshot(server, id, repository);
  const given = other ?? await snapshotBefore(server, snapshot);
  if (!given) {
    throw new AppError(
      "invalid",
      "with must be the id of another snapshot: no list holds one before this one with its host and tags.",
      "with",
    );
  }
  const base = await baseOf(server, given, snapshot.repository_id);
  if (base.id !== snapshot.id) return { snapshot, base };
  throw new AppError("invalid", "with must be another snapshot than the one itself.", "with");
}

const WITH_SENTENCES: Partial<Record<AppError["code"], string>> = {
  invalid:
    "with must be a snapshot's id or its beginning: 8 to 64 of the digits 0 to 9 and a to f.",
  not_found: "No list of the same repository holds a snapshot with the id in with.",
};

async function baseOf(server: Server, id: string, repository: string): Promise<FoundSnapshot> {
  try {
    return await getSnapshot(server, id, repository);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, WITH_SENTENCES[error.code] ?? error.message, "with");
  }
}

/**
 * A page of what differs. Waits for its reader. Throws invalid, forbidden, not_found, conflict, too_many, agent_offline, agent_timeout,
 * agent_failed.
 */
export async function compareSnapshots(
  server: Server,
  actor: Actor,
  compared: Compared,
  input: DiffInput & { signal?: AbortSignal },
): Promise<SnapshotDiff> {
  const asked = await ask(server, actor, compared, input);
  try {
    return pageOfDiff(asked, actor, await load(server, asked, input.signal), input);
  } catch (error) {
    throw asAppError(error, asked);
  }
}

export type DiffView =
  | { state: "ready"; diff: SnapshotDiff }
  | { state: "waiting"; reader: TreeReader };

/** The same for a page, which waits for nobody. Throws the same. */
export async function lookAtDiff(
  server: Server,
  actor: Actor,
  compared: Compared,
  input: DiffInput,
): Promise<DiffView> {
  const asked = await ask(server, actor, compared, input);
  const kept = server.comparisons.get(asked.key);
  if (kept) return { state: "ready", diff: pageOfDiff(asked, actor, kept, input) };
  const failure = server.comparisons.takeFailure(asked.key);
  if (failure) throw asAppError(failure, asked);
  keepLoading(server, asked, AbortSignal.timeout(LEFT_MS));
  const { id, name, is_source } = asked.reader;
  return { state: "waiting", reader: { id, name, is_source } };
}

/** For as long as the page that waits is open. */
export async function waitForDiff(
  server: Server,
  actor: Actor,
  compared: Compared,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<{ key: TreeKey; isLoading: () => boolean }> {
  const asked = await ask(server, actor, compared, { path });
  const isLoading = () => server.comparisons.isLoading(asked.key);
  if (isLoading()) keepLoading(server, asked, signal);
  return { key: asked.key, isLoading };
}

interface Asked extends Compared {
  reader: ChosenReader;
  key: TreeKey;
  path: string;
}

async function ask(
  server: Server,
  actor: Actor,
  { snapshot, base }: Compared,
  { path }: { path: string },
): Promise<Asked> {
  const names = namesOf(path);
  refuseUnseen(actor, snapshot);
  refuseUnseen(actor, base, "with");
  for (const each of [snapshot, base]) namesShown(actor, each, names);
  const reader = await chooseReader(server, snapshot, "diff");
  const key = {
    repositoryId: snapshot.repository_id,
    snapshot: snapshot.id,
    path: base.id,
    readerId: reader.id,
  };
  const asked = { snapshot, base, reader, key, path: `/${names.map(shownName).join("/")}` };
  await noteCompared(server, actor, asked);
  return asked;
}

/** Once an hour for each person, pair and reader: each folder by itself would bury the rest of the audit. */
async function noteCompared(server: Server, actor: Actor, { snapshot, base, reader, key }: Asked) {
  const who = JSON.stringify([actor.kind, actor.id, textOfKey(key)]);
  const more = { with: base.id, read_by: reader.name };
  await server.comparisons.onceAnHour(who, () =>
    change(
      server,
      actor,
      ({ audit }) => audit(auditedSnapshot("snapshot.compared", snapshot, more)),
    ));
}

async function load(server: Server, asked: Asked, signal?: AbortSignal): Promise<DiffListing> {
  return await server.comparisons.load(asked.key, (end) => read(server, asked, end), signal);
}

function keepLoading(server: Server, asked: Asked, signal: AbortSignal): void {
  const { key } = asked;
  const then = () => server.events.publish({ type: "tree", key: textOfKey(key) });
  server.comparisons.keepLoading(key, (end) => read(server, asked, end), { signal, then });
}

async function read(server: Server, asked: Asked, signal: AbortSignal): Promise<DiffListing> {
  const { snapshot, base, reader } = asked;
  try {
    const stream = reader.agent.streams.open({
      kind: "diff",
      repository_id: snapshot.repository_id,
      snapshot: snapshot.id,
      base: base.id,
    }, { signal, silentMs: WHOLE_MS, wholeMs: WHOLE_MS });
    if (!stream) throw readerBusy(reader);
    return await readDiff(stream, asked);
  } catch (error) {
    if (error instanceof StreamError) {
      noteReaderFault(server, reader, { what: `snapshots ${base.id} and ${snapshot.id}`, error });
    }
    throw error;
  }
}

async function readDiff(stream: AgentStream, { snapshot, base }: Compared): Promise<DiffListing> {
  const listing = new DiffListing();
  let end: DiffEnd | undefined;
  for await (const line of jsonLines(stream, DiffLine, BOUNDS)) {
    if (end) throw nonsense("lines after the last");
    if (!Array.isArray(line)) end = line;
    else if (listing.count < DIFF_CHANGES_LIMIT) listing.add(...line);
    else throw nonsense(`more than ${DIFF_CHANGES_LIMIT} changes`);
  }
  if (!end) throw nonsense("no last line");
  if (end.snapshot !== snapshot.id || end.base !== base.id) {
    throw nonsense("the comparison of other snapshots");
  }
  listing.finish(end);
  return listing;
}

function pageOfDiff(
  { snapshot, base, reader, path }: Asked,
  actor: Actor,
  listing: DiffListing,
  input: DiffInput,
): SnapshotDiff {
  const offset = numberCursor(input) ?? 0;
  const { q, limit } = input;
  const [sees, seesBase] = [seesPath(actor, snapshot), seesPath(actor, base)];
  const maySee = (path: string) => sees(path) && seesBase(path);
  const { items, counts, matching } = listing.page({ path, q, maySee, offset, limit });
  return {
    items,
    next_cursor: matching > offset + limit ? String(offset + limit) : null,
    snapshot_id: snapshot.id,
    with: base.id,
    repository_id: snapshot.repository_id,
    path,
    q,
    reader: { id: reader.id, name: reader.name, is_source: reader.is_source },
    ...counts,
    matching,
    cut: listing.cut,
    left_out: isRestricted(actor) ? 0 : listing.leftOut,
    statistics: isRestricted(actor) ? null : listing.statistics,
  };
}

function asAppError(error: unknown, { snapshot, base, reader }: Asked): unknown {
  if (!(error instanceof StreamError)) return error;
  if (error.fault === "no_snapshot") {
    return new AppError(
      "not_found",
      `${reader.name} does not find one of these snapshots in ${snapshot.repository_name} any more: a forget has removed it since the last list.`,
      "id",
    );
  }
  const known = READER_SENTENCES[error.fault as keyof typeof READER_SENTENCES];
  if (known) return known({ snapshot, reader });
  const which = `${base.id.slice(0, 8)} and ${snapshot.id.slice(0, 8)}`;
  return error.fault === "timed_out" || error.fault === "unread"
    ? new AppError(
      "agent_timeout",
      `${reader.name}'s agent did not compare ${which} within ${
        WHOLE_MS / 1000
      } seconds. Perhaps its repository does not answer.`,
    )
    : new AppError(
      "agent_failed",
      `${reader.name}'s agent could not compare ${which}. Why is in the server's log.`,
    );
}
