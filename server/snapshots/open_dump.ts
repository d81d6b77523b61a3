// Files of a snapshot from the machine that reads it, while no forget or prune of ours touches the repository.
import { type DumpFormat, itemOf } from "../../shared/dump.ts";
import { type AgentStream, StreamError, type StreamFault } from "../agent_streams.ts";
import { AppError } from "../errors.ts";
import { holdForReading } from "../jobs/hold_for_reading.ts";
import type { Server } from "../server.ts";
import { DumpReader } from "./dump_reader.ts";
import type { FoundSnapshot } from "./get.ts";
import { noteReaderFault, READER_SENTENCES, readerBusy } from "./reader_errors.ts";
import type { ChosenReader } from "./tree_reader.ts";

/** restic has so long until it sends something, at first and later: a slow repository takes a minute. */
const SILENT_MS = 150_000;

export interface AskedDump {
  snapshot: FoundSnapshot;
  reader: ChosenReader;
  paths: string[];
  format: DumpFormat;
  /** Who has it, as the end of a sentence. */
  what: string;
  largestBytes: number;
  /** Nobody takes anything for so long: he is gone. */
  unreadMs: number;
  wholeMs: number;
  signal: AbortSignal;
}

export interface OpenDump {
  size: number | null;
  /** As DumpReader.read(). */
  read(): Promise<Uint8Array | undefined>;
  readonly received: number;
  /** Ends it, whole or not. Called once or more often. */
  end(): void;
}

/** Waits until the machine has found all of it. Throws AppError. */
export async function openDump(server: Server, asked: AskedDump): Promise<OpenDump> {
  const { snapshot, reader, what } = asked;
  const release = await holdForReading(server, {
    repositoryId: snapshot.repository_id,
    hostId: reader.id,
    what,
  });
  try {
    const dump = await DumpReader.open(openStream(asked), asked.largestBytes);
    return {
      size: dump.size,
      read: async () => {
        try {
          return await dump.read();
        } catch (error) {
          note(server, asked, error);
          throw error;
        }
      },
      get received() {
        return dump.received;
      },
      end: () => {
        dump.cancel();
        release();
      },
    };
  } catch (error) {
    release();
    note(server, asked, error);
    throw error instanceof StreamError ? asAppError(error, asked) : error;
  }
}

function openStream(asked: AskedDump): AgentStream {
  const { snapshot, reader, paths, format, signal, unreadMs, wholeMs } = asked;
  const stream = reader.agent.streams.open({
    kind: "dump",
    repository_id: snapshot.repository_id,
    snapshot: snapshot.id,
    paths,
    format,
  }, { signal, silentMs: SILENT_MS, unreadMs, wholeMs });
  if (!stream) throw readerBusy(reader);
  return stream;
}

function note(server: Server, { snapshot, reader, paths }: AskedDump, error: unknown): void {
  if (!(error instanceof StreamError)) return;
  const what = `dump of ${snapshot.id} ${paths[0]}`.slice(0, 500);
  noteReaderFault(server, reader, { what, error });
}

type Say = (asked: AskedDump, error: StreamError) => AppError;

/** Sentences of ours, whatever the agent said; which item it is about is all that is taken from it. */
const SENTENCES: Record<StreamFault, Say> = {
  ...READER_SENTENCES,
  not_found: (asked, error) =>
    new AppError("not_found", `${named(asked, error)} is not in this snapshot.`, "path"),
  not_a_file: (asked, error) =>
    new AppError(
      "invalid",
      asked.format === "raw"
        ? `path must be a file; ${
          named(asked, error)
        } in this snapshot is none. A folder comes with format=zip or tar.`
        : `path must be a file or folder; ${
          named(asked, error)
        } in this snapshot is neither. Links and devices come with the folder that they are in.`,
      "path",
    ),
  timed_out: ({ reader }) =>
    new AppError(
      "agent_timeout",
      `${reader.name}'s agent sent nothing within ${
        SILENT_MS / 1000
      } seconds. Perhaps its repository does not answer.`,
    ),
  unread: failed,
  not_absolute: failed,
  not_a_folder: failed,
  too_many_parts: failed,
  is_link: failed,
  access_denied: failed,
  outside: failed,
  unsupported: failed,
  failed,
};

function asAppError(error: StreamError, asked: AskedDump): AppError {
  return SENTENCES[error.fault](asked, error);
}

function named({ paths }: AskedDump, { message }: StreamError): string {
  const path = paths[itemOf(message) ?? 0] ?? paths[0]!;
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}

function failed(asked: AskedDump, error: StreamError): AppError {
  return new AppError(
    "agent_failed",
    `${asked.reader.name}'s agent could not send ${
      named(asked, error)
    }. Why is in the server's log.`,
  );
}
