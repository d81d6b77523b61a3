// Streams on the agent's socket: the server asks, the agent sends bytes, and never more of them than the server has room for.
// `stream.data` is a binary frame (four bytes with the stream's number, then bytes); all else is JSON. Each stream that was opened has
// exactly one `stream.end`, also after a cancel, so that what is still under way can be told from what nobody asked for.
import { z } from "zod";
import { DUMP_FORMATS, DUMP_ITEMS_LIMIT, DUMP_PATHS_LIMIT } from "./dump.ts";
import { FIND_SNAPSHOTS_LIMIT, FindCriteria } from "./find.ts";
import { SNAPSHOT_PATH_LIMIT } from "./snapshot_path.ts";

/** Bytes in one frame of data at most. */
export const STREAM_DATA_LIMIT = 65_536;
/** What a frame costs of the credit beyond its bytes, so that a thousand small ones are no cheaper to keep than a large one. */
export const STREAM_FRAME_COST = 256;
/** The credit with which a stream begins: no more than this of one stream is ever in the server's memory. */
export const STREAM_WINDOW = 524_288;
/** How many streams of one host may be open at once. */
export const STREAMS_PER_HOST = 4;
/** Characters of a `stream.…` message of an agent at most. */
export const STREAM_MESSAGE_LIMIT = 4096;
/** How every JSON message of a stream begins: both programs write the type first. */
export const STREAM_MESSAGE_START = '{"type":"stream.';

const HEADER_BYTES = 4;
/** Counted up from 1 on each socket and never used again there. */
const streamId = z.int().min(1).max(0xffff_ffff);

/** Names and types of what lies in a folder of the host. */
const folderRequest = z.object({
  kind: z.literal("folder"),
  path: z.string().max(4096),
  /** The folders below which it must lie with all links resolved; null where an admin asks. */
  within: z.array(z.string().max(4096)).max(1000).nullable(),
});

/** One folder of a snapshot, in the repository that the host has the credential of. */
const treeRequest = z.object({
  kind: z.literal("tree"),
  repository_id: z.string().max(100),
  snapshot: z.string().regex(/^[0-9a-f]{64}$/),
  /** As snapshot_path.ts reads it. */
  path: z.string().max(SNAPSHOT_PATH_LIMIT),
});

/** What files of a snapshot hold: one as it is (raw), or any items in one archive (dump.ts says what comes). */
const dumpRequest = z.object({
  kind: z.literal("dump"),
  repository_id: z.string().max(100),
  snapshot: z.string().regex(/^[0-9a-f]{64}$/),
  paths: z.array(z.string().max(SNAPSHOT_PATH_LIMIT)).min(1).max(DUMP_ITEMS_LIMIT)
    .refine((paths) => paths.reduce((sum, { length }) => sum + length, 0) <= DUMP_PATHS_LIMIT),
  format: z.enum(DUMP_FORMATS),
});

const fullId = z.string().regex(/^[0-9a-f]{64}$/);

/** What differs between two snapshots of one repository. */
const diffRequest = z.object({
  kind: z.literal("diff"),
  repository_id: z.string().max(100),
  snapshot: fullId,
  /** The one that it is compared with, as a rule an older one. */
  base: fullId,
});

/** Where files of a name are in several snapshots. */
const findRequest = z.object({
  kind: z.literal("find"),
  repository_id: z.string().max(100),
  snapshots: z.array(fullId).min(1).max(FIND_SNAPSHOTS_LIMIT),
  ...FindCriteria.shape,
});

/** What can be asked for by a stream. A new kind is a schema here, a file in agent/streams/, and its reader on the server. */
export const StreamRequest = z.discriminatedUnion("kind", [
  folderRequest,
  treeRequest,
  dumpRequest,
  diffRequest,
  findRequest,
]);
export type StreamRequest = z.infer<typeof StreamRequest>;
export type StreamKind = StreamRequest["kind"];
export type RequestOf<K extends StreamKind> = Extract<StreamRequest, { kind: K }>;

/** Why an agent sent no more; what it says in words is for the log. */
export const STREAM_ERRORS = [
  /** This agent knows no such kind, or cannot read the request. */
  "unsupported",
  /** Too many are running here. */
  "busy",
  "not_absolute",
  "not_found",
  "not_a_folder",
  /** A folder, a link, a device: it has no bytes to send as a file. */
  "not_a_file",
  /** It has more parts than an archive of that format is made of here. */
  "too_many_parts",
  "is_link",
  "access_denied",
  /** Not in one of the folders that the request names. */
  "outside",
  /** The owner of the machine does not allow it (agent.yaml). */
  "refused_by_machine",
  /** The host has no credential for that repository. */
  "no_credential",
  "no_snapshot",
  /** The repository does not answer, or not as one should. */
  "unreachable",
  "cancelled",
  "failed",
] as const;
export type StreamErrorCode = typeof STREAM_ERRORS[number];

export const streamOpen = z.object({
  type: z.literal("stream.open"),
  stream_id: streamId,
  /** How much the agent may send until it is given more. */
  credit: z.int().min(0).max(0xffff_ffff),
  request: StreamRequest,
});
export type StreamOpen = z.infer<typeof streamOpen>;

/** More credit, in bytes. */
export const streamCredit = z.object({
  type: z.literal("stream.credit"),
  stream_id: streamId,
  bytes: z.int().min(1).max(0xffff_ffff),
});

/** Nobody reads it any more: the agent ends what it runs for it, and says so by `stream.end`. */
export const streamCancel = z.object({ type: z.literal("stream.cancel"), stream_id: streamId });

/** The agent sends nothing more. Without an error all of it was sent. */
export const streamEnd = z.object({
  type: z.literal("stream.end"),
  stream_id: streamId,
  error: z.object({
    // A newer agent may have more reasons.
    code: z.enum(STREAM_ERRORS).catch("failed"),
    message: z.string().max(500),
  }).optional(),
});
export type StreamEnd = z.infer<typeof streamEnd>;

/** What a frame with so many bytes takes of the credit. */
export function costOf(bytes: number): number {
  return bytes + STREAM_FRAME_COST;
}

/** Room for the largest frame of data. */
export function frameBuffer(): ArrayBuffer {
  return new ArrayBuffer(HEADER_BYTES + STREAM_DATA_LIMIT);
}

/** A frame of data, in a buffer of its own or in one that is used again. */
export function streamFrame(
  id: number,
  bytes: Uint8Array,
  buffer = new ArrayBuffer(HEADER_BYTES + bytes.length),
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(buffer, 0, HEADER_BYTES + bytes.length);
  new DataView(buffer).setUint32(0, id);
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

export interface StreamData {
  id: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Reads a frame of data. Throws a RangeError that says what is accepted. */
export function readStreamFrame(frame: ArrayBuffer): StreamData {
  const length = frame.byteLength - HEADER_BYTES;
  if (length < 1 || length > STREAM_DATA_LIMIT) {
    throw new RangeError(
      `a binary frame must be a stream's number and 1 to ${STREAM_DATA_LIMIT} bytes, this one has ${frame.byteLength} bytes`,
    );
  }
  return { id: new DataView(frame).getUint32(0), bytes: new Uint8Array(frame, HEADER_BYTES) };
}
