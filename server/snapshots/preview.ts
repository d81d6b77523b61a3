// What a file of a snapshot holds, for a page that shows it: up to a mebibyte, in memory for a moment, read once for all who wait for it.
import { writeSnapshotPath } from "../../shared/snapshot_path.ts";
import type { TreeReader } from "../../shared/shapes/tree.ts";
import { StreamError } from "../agent_streams.ts";
import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { refuseUnlessAllowed } from "./download.ts";
import type { FoundSnapshot } from "./get.ts";
import { openDump } from "./open_dump.ts";
import { namesOf } from "./path_input.ts";
import { READER_SENTENCES } from "./reader_errors.ts";
import { chooseReader, type ChosenReader } from "./tree_reader.ts";
import { textOfKey, type TreeKey } from "./trees.ts";

export const PREVIEW_LIMIT = 1_048_576;

export interface Preview {
  /** Of the file. */
  size: number;
  /** undefined where it is larger than what is shown. */
  content: Uint8Array<ArrayBuffer> | undefined;
  /** What it takes of the memory. */
  bytes: number;
}

/** A small file of a slow repository takes a minute. */
const WHOLE_MS = 150_000;
/** Whoever left a page that waits, without scripts that say so, is waited for so long. */
const LEFT_MS = 15_000;

export type PreviewView =
  | { state: "ready"; reader: TreeReader; preview: Preview }
  | { state: "waiting"; reader: TreeReader };

interface Asked {
  actor: Actor;
  snapshot: FoundSnapshot;
  reader: ChosenReader;
  key: TreeKey;
}

/** For a page, which waits for nobody: what is not there yet is on its way. Throws AppError. */
export async function lookAtPreview(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  path: string,
): Promise<PreviewView> {
  const asked = await ask(server, actor, snapshot, path);
  const { id, name, is_source } = asked.reader;
  const reader = { id, name, is_source };
  const preview = server.previews.get(asked.key);
  if (preview) return { state: "ready", reader, preview };
  const failure = server.previews.takeFailure(asked.key);
  if (failure) throw asAppError(failure, asked);
  keepLoading(server, asked, AbortSignal.timeout(LEFT_MS));
  return { state: "waiting", reader };
}

/** For an image in a page: waits where it is not there any more. Throws AppError. */
export async function loadPreview(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<Preview> {
  const asked = await ask(server, actor, snapshot, path);
  try {
    return await server.previews.load(asked.key, (end) => read(server, asked, end), signal);
  } catch (error) {
    throw asAppError(error, asked);
  }
}

/** For as long as the page that waits is open. Returns the key, and whether there is anything to wait for. */
export async function waitForPreview(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<{ key: TreeKey; isLoading: () => boolean }> {
  const asked = await ask(server, actor, snapshot, path);
  const isLoading = () => server.previews.isLoading(asked.key);
  if (isLoading()) keepLoading(server, asked, signal);
  return { key: asked.key, isLoading };
}

async function ask(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  path: string,
): Promise<Asked> {
  refuseUnlessAllowed(server, actor);
  const names = namesOfFile(path);
  const reader = await chooseReader(server, snapshot, "dump");
  const key = {
    repositoryId: snapshot.repository_id,
    snapshot: snapshot.id,
    path: writeSnapshotPath(names),
    readerId: reader.id,
  };
  const asked = { actor, snapshot, reader, key };
  await noteLooked(server, asked);
  return asked;
}

function namesOfFile(path: string): Uint8Array[] {
  const names = namesOf(path);
  if (names.length > 0) return names;
  throw new AppError("invalid", "path must be a file; / is the top folder.", "path");
}

/** Once an hour for each person, file and reader: a page that waits asks again and again. */
async function noteLooked(server: Server, { actor, snapshot, reader, key }: Asked): Promise<void> {
  const who = JSON.stringify([actor.kind, actor.id, textOfKey(key)]);
  await server.previews.onceAnHour(who, () =>
    change(server, actor, ({ audit }) =>
      audit({
        action: "snapshot.previewed",
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

function keepLoading(server: Server, asked: Asked, signal: AbortSignal): void {
  const { key } = asked;
  const then = () => server.events.publish({ type: "tree", key: textOfKey(key) });
  server.previews.keepLoading(key, (end) => read(server, asked, end), { signal, then });
}

async function read(server: Server, asked: Asked, signal: AbortSignal): Promise<Preview> {
  const { snapshot, reader, key, actor } = asked;
  const dump = await openDump(server, {
    snapshot,
    reader,
    paths: [key.path],
    format: "raw",
    what: `a preview by ${actor.name}`,
    largestBytes: Infinity,
    unreadMs: WHOLE_MS,
    wholeMs: WHOLE_MS,
    signal,
  });
  try {
    const { size } = dump;
    if (size === null) throw new StreamError("failed", "it sent no size of a file");
    if (size > PREVIEW_LIMIT) return { size, content: undefined, bytes: 1000 };
    const content = new Uint8Array(size);
    let at = 0;
    for (let piece = await dump.read(); piece; piece = await dump.read()) {
      content.set(piece, at);
      at += piece.length;
    }
    return { size, content, bytes: size + 1000 };
  } finally {
    dump.end();
  }
}

function asAppError(error: unknown, { snapshot, reader, key }: Asked): unknown {
  if (!(error instanceof StreamError)) return error;
  const known = READER_SENTENCES[error.fault as keyof typeof READER_SENTENCES];
  return known?.({ snapshot, reader }) ??
    new AppError(
      "agent_failed",
      `${reader.name}'s agent could not send ${
        key.path.slice(0, 200)
      }. Why is in the server's log.`,
    );
}
