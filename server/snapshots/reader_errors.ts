// What is said when the machine that reads a snapshot cannot: sentences of ours, whatever its agent said.
import type { TreeReader } from "../../shared/shapes/tree.ts";
import type { StreamError, StreamFault } from "../agent_streams.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";

export interface Read {
  snapshot: Pick<FoundSnapshot, "repository_name">;
  reader: TreeReader;
}

type Say = (read: Read) => AppError;

/** Those that are the same whatever was to be read. */
export const READER_SENTENCES = {
  no_snapshot: ({ snapshot, reader }) =>
    new AppError(
      "not_found",
      `${reader.name} does not find this snapshot in ${snapshot.repository_name} any more: a forget has removed it since the last list.`,
      "id",
    ),
  no_credential: ({ snapshot, reader }) =>
    new AppError(
      "agent_failed",
      `${reader.name} has no credential for ${snapshot.repository_name} yet. Try again when its repository is ready.`,
    ),
  refused_by_machine: ({ snapshot, reader }) =>
    new AppError(
      "forbidden",
      `The owner of ${reader.name} does not allow ${snapshot.repository_name} there (repositories in agent.yaml).`,
    ),
  unreachable: ({ snapshot, reader }) =>
    new AppError(
      "agent_failed",
      `${reader.name} does not reach the repository ${snapshot.repository_name}. Why is in the server's log.`,
    ),
  busy: ({ reader }) => readerBusy(reader),
  lost: wentOffline,
  given_up: wentOffline,
  cancelled: wentOffline,
} satisfies Partial<Record<StreamFault, Say>>;

function wentOffline({ reader }: Read): AppError {
  return new AppError(
    "agent_offline",
    `${reader.name} went offline while it read the snapshot. Try again: another host of the repository reads it if one is online.`,
  );
}

export function readerBusy({ name }: TreeReader): AppError {
  const error = new AppError(
    "too_many",
    `${name}'s agent is busy with other requests. Try again in a moment.`,
  );
  error.retryAfter = 2;
  return error;
}

const LOGGED: readonly StreamFault[] = [
  "failed",
  "unsupported",
  "timed_out",
  "unreachable",
  "too_many_parts",
];

/** What an agent says in words is for the log, in its share of it. `what` is what was read. */
export function noteReaderFault(
  server: Server,
  reader: TreeReader,
  { what, error: { fault, message } }: { what: string; error: StreamError },
): void {
  if (!LOGGED.includes(fault)) return;
  const line = server.paces.logLine(reader.id, `${what}: ${message}`);
  if (line !== undefined) server.log.warn(`${reader.name}: ${line}`);
}
