// Reads a folder of a snapshot from an agent. Whatever it sends is hostile: line by line it is held against the schema and against bounds, and
// what is no listing of what was asked for is an error of the agent.
import { readSnapshotPath } from "../../shared/snapshot_path.ts";
import {
  TREE_BYTES_LIMIT,
  TREE_ENTRIES_LIMIT,
  TREE_LINE_LIMIT,
  type TreeEnd,
  TreeLine,
} from "../../shared/tree.ts";
import { type AgentStream, StreamError } from "../agent_streams.ts";
import { TreeListing } from "./tree_listing.ts";

export interface AskedTree {
  repository_id: string;
  snapshot: string;
  path: string;
}

/** Throws StreamError; `failed` for what is no listing. */
export async function readListing(stream: AgentStream, asked: AskedTree): Promise<TreeListing> {
  const listing = new TreeListing(readSnapshotPath(asked.path));
  let end: TreeEnd | undefined;
  for await (const line of linesOf(stream)) {
    if (end) throw nonsense("lines after the last");
    const read = readLine(line);
    if (!Array.isArray(read)) end = read;
    else if (listing.count < TREE_ENTRIES_LIMIT) listing.add(read);
    else throw nonsense(`more than ${TREE_ENTRIES_LIMIT} entries`);
  }
  if (!end) throw nonsense("no last line");
  if (end.snapshot !== asked.snapshot || end.path !== asked.path) {
    throw nonsense("the listing of another folder or snapshot");
  }
  listing.finish(end);
  return listing;
}

async function* linesOf(stream: AgentStream): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let bytes = 0;
  for await (const piece of stream) {
    bytes += piece.length;
    // The last line comes on top.
    if (bytes > TREE_BYTES_LIMIT + 2 * TREE_LINE_LIMIT) {
      throw nonsense(`more than ${TREE_BYTES_LIMIT} bytes`);
    }
    const lines = (rest + decode(decoder, piece)).split("\n");
    rest = lines.pop()!;
    for (const line of [...lines, rest]) {
      if (line.length > 2 * TREE_LINE_LIMIT) throw nonsense("a line without an end");
    }
    yield* lines;
  }
  if (rest) throw nonsense("half a line");
}

function decode(decoder: TextDecoder, piece: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: true });
  } catch {
    throw nonsense("bytes that are no UTF-8");
  }
}

function readLine(line: string): TreeLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw nonsense("a line that is no JSON");
  }
  const { success, data } = TreeLine.safeParse(value);
  if (!success) throw nonsense("a line that is no entry");
  return data;
}

function nonsense(what: string): StreamError {
  return new StreamError("failed", `it sent ${what}`);
}
