// Frames to messages and back: the only JSON.parse of the wire.
import type { z } from "zod";
import { firstProblem } from "./fields.ts";
import { PendingAgentMessage, PendingServerMessage } from "./announce.ts";
import { AgentMessage, FRAME_LIMIT, ServerMessage } from "./protocol.ts";
import {
  readStreamFrame,
  STREAM_MESSAGE_LIMIT,
  STREAM_MESSAGE_START,
  type StreamData,
  type StreamEnd,
} from "./stream.ts";

/** A message of a known type that cannot be taken: as much of it as its receiver may need to say so. */
export interface Unreadable {
  type: string;
  /** What is wrong, with the field's name. */
  reason: string;
  jobId?: string;
  version?: number;
  streamId?: number;
}

/** The frame cannot be accepted. After an unknown type, or where `unreadable` is set, the conversation may go on. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
  constructor(message: string, readonly unknownType = false, readonly unreadable?: Unreadable) {
    super(message);
  }
}

const AGENT_TYPES = typesOf(AgentMessage);
const SERVER_TYPES = typesOf(ServerMessage);
const PENDING_AGENT_TYPES = typesOf(PendingAgentMessage);
const PENDING_SERVER_TYPES = typesOf(PendingServerMessage);
/** What a machine that nobody knows yet may say at once. */
const PENDING_FRAME_LIMIT = 4096;

/** What an agent said. Throws ProtocolError. */
export function readAgentMessage(data: unknown): AgentMessage {
  return read(data, AgentMessage, AGENT_TYPES);
}

/**
 * What an agent sent of a stream: data, or its end. undefined for every other frame, which waits for its turn; so does an end that
 * does not begin with its type. Throws ProtocolError.
 */
export function readAgentStream(frame: unknown): StreamData | StreamEnd | undefined {
  if (frame instanceof ArrayBuffer) {
    try {
      return readStreamFrame(frame);
    } catch (error) {
      throw new ProtocolError((error as RangeError).message);
    }
  }
  if (typeof frame !== "string" || !frame.startsWith(STREAM_MESSAGE_START)) return undefined;
  const message = read(frame, AgentMessage, AGENT_TYPES, STREAM_MESSAGE_LIMIT);
  return message.type === "stream.end" ? message : undefined;
}

/** What the server said. Throws ProtocolError. */
export function readServerMessage(data: unknown): ServerMessage {
  return read(data, ServerMessage, SERVER_TYPES);
}

/** What an agent that waits for approval said. Throws ProtocolError. */
export function readPendingAgentMessage(data: unknown): PendingAgentMessage {
  return read(data, PendingAgentMessage, PENDING_AGENT_TYPES, PENDING_FRAME_LIMIT);
}

/** What the server said to one. Throws ProtocolError. */
export function readPendingServerMessage(data: unknown): PendingServerMessage {
  return read(data, PendingServerMessage, PENDING_SERVER_TYPES, PENDING_FRAME_LIMIT);
}

function read<T>(
  data: unknown,
  schema: z.ZodType<T>,
  types: Set<string>,
  limit = FRAME_LIMIT,
): T {
  if (typeof data !== "string") throw new ProtocolError("a frame must be text");
  // Length in UTF-16 units never exceeds the bytes that carried it.
  if (data.length > limit) {
    const reason = `a frame must be at most ${limit} bytes, this one has ${data.length}`;
    throw new ProtocolError(reason, false, unreadable(BEGINNING.exec(data)?.[1], reason, types));
  }
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new ProtocolError("a frame must be JSON");
  }
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== "string") throw new ProtocolError("a message must be an object with a type");
  if (!types.has(type)) {
    throw new ProtocolError(`unknown message type ${JSON.stringify(type.slice(0, 64))}`, true);
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const reason = `${type}: ${firstProblem(result.error).message}`;
    const { job_id, plan_version, stream_id } = value as Record<string, unknown>;
    throw new ProtocolError(reason, false, {
      type,
      reason,
      ...(typeof job_id === "string" ? { jobId: job_id } : {}),
      ...(typeof plan_version === "number" ? { version: plan_version } : {}),
      ...(typeof stream_id === "number" ? { streamId: stream_id } : {}),
    });
  }
  return result.data;
}

/** The type of a message that is too long to be parsed; both programs write it first. */
const BEGINNING = /^\{"type":"([a-z.]{1,64})"/;

function unreadable(
  type: string | undefined,
  reason: string,
  types: Set<string>,
): Unreadable | undefined {
  return type !== undefined && types.has(type) ? { type, reason: `${type}: ${reason}` } : undefined;
}

type Typed = { shape: { type: z.ZodLiteral<string> } };

function typesOf(
  { options }: { options: readonly (Typed | { options: readonly Typed[] })[] },
): Set<string> {
  const all = options.flatMap((each) => "options" in each ? each.options : [each]);
  return new Set(all.map(({ shape }) => shape.type.value));
}

/** What an agent would say against this message, or undefined: the server saves nothing that makes one. */
export function refusalOf(message: ServerMessage, limit = FRAME_LIMIT): string | undefined {
  const { length } = JSON.stringify(message);
  if (length > limit) {
    return `it would be ${length} characters long, and at most ${limit} are taken`;
  }
  const result = ServerMessage.safeParse(message);
  return result.success ? undefined : firstProblem(result.error).message;
}
