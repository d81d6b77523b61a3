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
import type { AgentStream } from "../agent_streams.ts";
import { jsonLines, nonsense } from "./stream_lines.ts";
import { TreeListing } from "./tree_listing.ts";

const BOUNDS = { bytes: TREE_BYTES_LIMIT, lineBytes: TREE_LINE_LIMIT };

export interface AskedTree {
  repository_id: string;
  snapshot: string;
  path: string;
}

/** Throws StreamError; `failed` for what is no listing. */
export async function readListing(stream: AgentStream, asked: AskedTree): Promise<TreeListing> {
  const listing = new TreeListing(readSnapshotPath(asked.path));
  let end: TreeEnd | undefined;
  for await (const read of jsonLines(stream, TreeLine, BOUNDS)) {
    if (end) throw nonsense("lines after the last");
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
