// A folder of a snapshot for whoever may see it: who reads it, what it costs him to look, and what is said when it cannot be had.
import { writeSnapshotPath } from "../../shared/snapshot_path.ts";
import type { SnapshotTree, TreeOrder, TreeReader, TreeSort } from "../../shared/shapes/tree.ts";
import { StreamError, type StreamFault } from "../agent_streams.ts";
import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import { numberCursor, type PageInput } from "../paging.ts";
import type { Actor, Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";
import { readListing } from "./read_tree.ts";
import { namesOf } from "./path_input.ts";
import { noteReaderFault, READER_SENTENCES, readerBusy } from "./reader_errors.ts";
import { chooseReader, type ChosenReader } from "./tree_reader.ts";
import { namesShown } from "./tree_rights.ts";
import type { TreeListing } from "./tree_listing.ts";
import { textOfKey, type TreeKey } from "./trees.ts";

export interface TreeInput extends PageInput {
  path: string;
  sort: TreeSort;
  order: TreeOrder;
  q: string;
}

/** A large folder of a slow repository takes a minute. */
const WHOLE_MS = 150_000;
/** Whoever left a page that waits, without scripts that say so, is waited for so long. */
const LEFT_MS = 15_000;

/**
 * A page of a folder. Waits for its reader. Throws invalid, forbidden, not_found (field path), conflict, too_many, agent_offline, agent_timeout,
 * agent_failed.
 */
export async function browseTree(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  input: TreeInput & { signal?: AbortSignal },
): Promise<SnapshotTree> {
  const asked = await ask(server, actor, snapshot, input);
  try {
    const listing = await load(server, asked, input.signal);
    return pageOfTree(asked, listing, input);
  } catch (error) {
    throw asAppError(error, asked);
  }
}

export type TreeView =
  | { state: "ready"; tree: SnapshotTree }
  | { state: "waiting"; reader: TreeReader; path: string; key: string };

/** The same for a page, which waits for nobody: what is not there yet is on its way. Throws the same. */
export async function lookAtTree(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  input: TreeInput,
): Promise<TreeView> {
  const asked = await ask(server, actor, snapshot, input);
  const kept = server.trees.get(asked.key);
  if (kept) return { state: "ready", tree: pageOfTree(asked, kept, input) };
  const failure = server.trees.takeFailure(asked.key);
  if (failure) throw asAppError(failure, asked);
  keepLoading(server, asked, AbortSignal.timeout(LEFT_MS));
  const { id, name, is_source } = asked.reader;
  return {
    state: "waiting",
    reader: { id, name, is_source },
    path: asked.key.path,
    key: textOfKey(asked.key),
  };
}

/** For as long as the page that waits is open. Returns the key, and whether there is anything to wait for. */
export async function waitForTree(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<{ key: TreeKey; isLoading: () => boolean }> {
  const asked = await ask(server, actor, snapshot, { path });
  const isLoading = () => server.trees.isLoading(asked.key);
  if (isLoading()) keepLoading(server, asked, signal);
  return { key: asked.key, isLoading };
}

interface Asked {
  snapshot: FoundSnapshot;
  reader: ChosenReader;
  key: TreeKey;
  mayShow: ((name: string) => boolean) | undefined;
}

async function ask(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  { path }: { path: string },
): Promise<Asked> {
  const names = namesOf(path);
  const mayShow = namesShown(actor, snapshot, names);
  const reader = await chooseReader(server, snapshot, "tree");
  const key = {
    repositoryId: snapshot.repository_id,
    snapshot: snapshot.id,
    path: writeSnapshotPath(names),
    readerId: reader.id,
  };
  const asked = { snapshot, reader, key, mayShow };
  await noteOpened(server, actor, asked);
  return asked;
}

/** Once an hour for each person, snapshot and reader: each folder by itself would bury the rest of the audit. */
async function noteOpened(server: Server, actor: Actor, { snapshot, reader, key }: Asked) {
  const who = JSON.stringify([actor.kind, actor.id, key.repositoryId, snapshot.id, reader.id]);
  await server.trees.onceAnHour(who, () =>
    change(server, actor, ({ audit }) =>
      audit({
        action: "snapshot.opened",
        target: {
          kind: "repository",
          id: snapshot.repository_id,
          name: snapshot.repository_name,
        },
        detail: {
          snapshot: snapshot.id,
          host: snapshot.source?.name ?? snapshot.hostname,
          path: key.path.slice(0, 1000),
          read_by: reader.name,
        },
      })));
}

async function load(server: Server, asked: Asked, signal?: AbortSignal): Promise<TreeListing> {
  return await server.trees.load(asked.key, (end) => read(server, asked, end), signal);
}

function keepLoading(server: Server, asked: Asked, signal: AbortSignal): void {
  const { key } = asked;
  const then = () => server.events.publish({ type: "tree", key: textOfKey(key) });
  server.trees.keepLoading(key, (end) => read(server, asked, end), { signal, then });
}

async function read(server: Server, asked: Asked, signal: AbortSignal): Promise<TreeListing> {
  const { key, reader } = asked;
  const request = { repository_id: key.repositoryId, snapshot: key.snapshot, path: key.path };
  try {
    const stream = reader.agent.streams.open({ kind: "tree", ...request }, {
      signal,
      silentMs: WHOLE_MS,
      wholeMs: WHOLE_MS,
    });
    if (!stream) throw readerBusy(reader);
    return await readListing(stream, request);
  } catch (error) {
    if (error instanceof StreamError) {
      noteReaderFault(server, reader, { what: `snapshot ${key.snapshot} ${key.path}`, error });
    }
    throw error;
  }
}

function pageOfTree(
  { snapshot, reader, key, mayShow }: Asked,
  listing: TreeListing,
  input: TreeInput,
): SnapshotTree {
  const offset = numberCursor(input) ?? 0;
  const { sort, order, q, limit } = input;
  const page = listing.page({ sort, order, q, mayShow, offset, limit });
  return {
    items: page.items,
    next_cursor: page.hasMore ? String(offset + limit) : null,
    snapshot_id: snapshot.id,
    repository_id: snapshot.repository_id,
    path: key.path,
    reader: { id: reader.id, name: reader.name, is_source: reader.is_source },
    reader_host_id: reader.id,
    total: page.total,
    matching: page.matching,
    cut: listing.cut,
    left_out: mayShow ? 0 : listing.leftOut,
  };
}

type Say = (asked: Asked) => AppError;

/** Sentences of ours, whatever the agent said. */
const SENTENCES: Record<StreamFault, Say> = {
  ...READER_SENTENCES,
  not_found: ({ key }) =>
    new AppError("not_found", `There is no folder ${key.path} in this snapshot.`, "path"),
  not_a_folder: ({ key }) =>
    new AppError("invalid", `path must be a folder; ${key.path} in this snapshot is none.`, "path"),
  timed_out: tooLate,
  unread: tooLate,
  not_absolute: failed,
  is_link: failed,
  access_denied: failed,
  outside: failed,
  unsupported: failed,
  not_a_file: failed,
  too_many_parts: failed,
  failed,
};

function asAppError(error: unknown, asked: Asked): unknown {
  return error instanceof StreamError ? SENTENCES[error.fault](asked) : error;
}

function tooLate({ reader, key }: Asked): AppError {
  return new AppError(
    "agent_timeout",
    `${reader.name}'s agent did not list ${key.path} within ${
      WHOLE_MS / 1000
    } seconds. Perhaps its repository does not answer.`,
  );
}

function failed({ reader, key }: Asked): AppError {
  return new AppError(
    "agent_failed",
    `${reader.name}'s agent could not list ${key.path}. Why is in the server's log.`,
  );
}
