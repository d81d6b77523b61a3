// What files of a snapshot hold, for a download or a preview: one file as it is, or any items as one archive. restic sends one path a start,
// so an archive of several is made here, member by member, in memory that does not grow with it. Nothing is sent before it is certain that
// each item is there; whatever goes wrong afterwards ends the stream with an error, also after the last byte.
import { type BandwidthLimits, hostLimitsAt, NO_LIMITS } from "../../shared/bandwidth.ts";
import type { DumpHeader } from "../../shared/dump.ts";
import type { RequestOf } from "../../shared/stream.ts";
import type { Agent } from "../agent.ts";
import { type ArchiveEntry, memberPath, timeOf } from "../archive/entry.ts";
import { readTar, tarEnd, withoutEnd } from "../archive/tar.ts";
import { paddingOf, tarHeader } from "../archive/tar_headers.ts";
import { ZipTooLarge, ZipWriter } from "../archive/zip.ts";
import type { RunContext } from "../restic/context.ts";
import { dumpCommand } from "../restic/dump.ts";
import { readRestic } from "../restic/read.ts";
import { capArguments } from "../restic/run.ts";
import { findItems, type FoundItem, itemsOf } from "./dump_items.ts";
import { Reading, type ReadingAgent, refuseFailure } from "./reading.ts";
import { type Produced, StreamProblem } from "./running.ts";

/** What a dump needs of the agent. */
export type DumpAgent = ReadingAgent & Pick<Agent, "timers">;

type DumpRequest = RequestOf<"dump">;

const encoder = new TextEncoder();

/** Throws StreamProblem: no path, no credential, not allowed here, an item that is not there or cannot be sent, or what restic failed at. */
export async function* dumpItems(
  agent: DumpAgent,
  request: DumpRequest,
  signal: AbortSignal,
): Produced {
  const items = itemsOf(request);
  using reading = new Reading(signal);
  const context = await reading.prepare(agent, request.repository_id, limitsOf(agent));
  const found = await findItems(context, request, items);
  if (context.control.stopped) return;
  const file = request.format === "raw" ? found[0]! : undefined;
  const bytes = file
    ? dumpFile(context, request, file)
    : request.format === "zip"
    ? zipOf(context, request, found)
    : tarOf(context, request, found);
  // A repository that does not answer is said before anything that looks like a beginning.
  const first = await bytes.next();
  const header: DumpHeader = { size: file ? file.node!.size : null };
  yield encoder.encode(`${JSON.stringify(header)}\n`);
  if (!first.done) yield first.value;
  yield* bytes;
}

/** What comes in goes out again at once, so both limits of the host hold for what restic fetches. */
function limitsOf({ plan, timers }: DumpAgent): BandwidthLimits {
  if (!plan.config) return NO_LIMITS;
  const { limits } = hostLimitsAt(plan.config, timers.now);
  const { bandwidth_up_kib_per_s: up, bandwidth_down_kib_per_s: down } = limits;
  const lowest = Math.min(up ?? Infinity, down ?? Infinity);
  return { ...NO_LIMITS, bandwidth_down_kib_per_s: lowest === Infinity ? null : lowest };
}

/** The output of one restic. */
async function* dump(
  context: RunContext,
  { snapshot }: DumpRequest,
  { names }: FoundItem,
): AsyncGenerator<Uint8Array> {
  const command = dumpCommand({ snapshot, names }, capArguments(context));
  const run = yield* readRestic(context, command, (out) => out);
  if (context.control.stopped) return;
  refuseFailure(run);
  // A backup that did not read all of its files is one; a dump that did not send all of it is none.
  if (run.exit.code !== 0) {
    throw new StreamProblem("failed", `restic ended with exit code ${run.exit.code}`);
  }
}

/** A file that has other bytes than its snapshot says is not whole. */
async function* dumpFile(
  context: RunContext,
  request: DumpRequest,
  item: FoundItem,
): AsyncGenerator<Uint8Array> {
  const size = item.node!.size!;
  let sent = 0;
  for await (const piece of dump(context, request, item)) {
    sent += piece.length;
    if (sent > size) throw new StreamProblem("failed", "restic sends more than the file has");
    yield piece;
  }
  if (sent < size && !context.control.stopped) {
    throw new StreamProblem("failed", `restic sent ${sent} of the ${size} bytes of a file`);
  }
}

async function* tarOf(
  context: RunContext,
  request: DumpRequest,
  items: FoundItem[],
): AsyncGenerator<Uint8Array> {
  for (const item of items) {
    const entry = entryOf(item);
    if (entry) yield tarHeader(entry);
    if (entry?.type === "file") {
      yield* dumpFile(context, request, item);
      yield new Uint8Array(paddingOf(entry.size));
    } else yield* withoutEnd(dump(context, request, item));
    if (context.control.stopped) return;
  }
  yield tarEnd();
}

async function* zipOf(
  context: RunContext,
  request: DumpRequest,
  items: FoundItem[],
): AsyncGenerator<Uint8Array> {
  const zip = new ZipWriter();
  try {
    for (const item of items) {
      const entry = entryOf(item);
      if (entry) yield zip.begin(entry);
      if (entry?.type === "file") {
        for await (const piece of dumpFile(context, request, item)) yield zip.add(piece);
      }
      if (entry) yield zip.end();
      if (entry?.type !== "file") yield* addFolder(zip, dump(context, request, item));
      if (context.control.stopped) return;
    }
    yield* zip.finish();
  } catch (error) {
    if (error instanceof ZipTooLarge) throw new StreamProblem("too_many_parts", error.message);
    throw error;
  }
}

async function* addFolder(
  zip: ZipWriter,
  tar: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let isOpen = false;
  for await (const part of readTar(tar)) {
    if ("bytes" in part) {
      yield zip.add(part.bytes);
      continue;
    }
    if (isOpen) yield zip.end();
    yield zip.begin(part.entry);
    isOpen = true;
  }
  if (isOpen) yield zip.end();
}

/** As the listing has it; undefined for the root. */
function entryOf({ names, node }: FoundItem): ArchiveEntry | undefined {
  if (!node) return undefined;
  return {
    type: node.type === "folder" ? "folder" : "file",
    path: memberPath(names),
    size: node.size ?? 0,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    ...timeOf(node.mtime),
    target: new Uint8Array(),
  };
}
