// A download of an admin: what may be asked for, who reads it, what it costs others, and its two rows in the audit. Beside the preview it is the
// only case in which data of a backup passes the server.
import {
  DUMP_FORMATS,
  DUMP_ITEMS_LIMIT,
  DUMP_PATHS_LIMIT,
  type DumpFormat,
} from "../../shared/dump.ts";
import { messageOf } from "../../shared/log.ts";
import { shownName, writeSnapshotPath } from "../../shared/snapshot_path.ts";
import { StreamError } from "../agent_streams.ts";
import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import { needAdmin } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";
import { namesOf } from "./path_input.ts";
import { type OpenDump, openDump } from "./open_dump.ts";
import { chooseReader, type ChosenReader } from "./tree_reader.ts";

export interface DownloadInput {
  paths: string[];
  format: DumpFormat;
}

export interface Download {
  /** Of the file that a browser makes of it, not yet safe for a header. */
  name: string;
  /** Bytes; null where nobody knows before. */
  size: number | null;
  /** The next piece, there until the one after is asked for; undefined when all of it came. Throws what broke it off. */
  read(): Promise<Uint8Array | undefined>;
  /** Its reader is gone, or may have no more. Called once or more often, also after the end. */
  leave(why: string): void;
}

/** Who reads nothing for so long is gone. One who pauses for a minute or two is not. */
const UNREAD_MS = 5 * 60_000;
const HOUR_MS = 3_600_000;
/** Of the audit's row. */
const PATHS_NAMED = 20;
const PATH_NAMED = 200;

/** Throws forbidden when the settings say so. */
export function refuseUnlessAllowed({ settings }: Server, actor: Actor): void {
  needAdmin(actor, undefined, "Only an admin downloads or previews what is in a snapshot.");
  if (settings.downloads.allowed) return;
  throw new AppError(
    "forbidden",
    "Downloads and previews are off on this server (RM_DOWNLOADS). Restore to a machine instead.",
  );
}

/** What would be downloaded, without asking any machine. Throws forbidden and invalid. */
export function describeDownload(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  input: DownloadInput,
): { name: string; paths: string[] } {
  refuseUnlessAllowed(server, actor);
  const { format } = input;
  const all = readPaths(input.paths);
  if (format === "raw" && all.length > 1) {
    throw new AppError(
      "invalid",
      `format must be one of ${
        DUMP_FORMATS.slice(1).join(", ")
      } for several items: raw is one file as it is.`,
      "format",
    );
  }
  return { name: nameOf(snapshot, all, format), paths: all.map(writeSnapshotPath) };
}

/**
 * Waits until its first bytes are there. Throws forbidden, invalid, too_large, too_many, conflict (what removes data is at work), not_found
 * (field path), agent_offline, agent_timeout, agent_failed. Whoever has it reads it to the end or leaves.
 */
export async function startDownload(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  input: DownloadInput & { signal: AbortSignal },
): Promise<Download> {
  const { paths, name } = describeDownload(server, actor, snapshot, input);
  const reader = await chooseReader(server, snapshot, "dump");
  const close = server.downloads.open(actor.id ?? "", reader);
  const audit = new DownloadAudit(server, actor, { snapshot, reader, paths, format: input.format });
  try {
    await audit.begin();
    const dump = await openDump(server, {
      snapshot,
      reader,
      paths,
      format: input.format,
      what: `a download by ${actor.name}`,
      largestBytes: server.settings.downloads.largestBytes,
      unreadMs: UNREAD_MS,
      wholeMs: server.settings.downloads.hours * HOUR_MS,
      signal: input.signal,
    });
    refuseTooLarge(server, dump);
    return new OneDownload({ name, dump, close, audit });
  } catch (error) {
    close();
    audit.end(messageOf(error), 0);
    throw error;
  }
}

function readPaths(paths: string[]): Uint8Array[][] {
  if (paths.length === 0) {
    throw new AppError("invalid", "path must name what is to be downloaded.", "path");
  }
  if (paths.length > DUMP_ITEMS_LIMIT) {
    throw new AppError(
      "invalid",
      `path must be given at most ${DUMP_ITEMS_LIMIT} times: choose the folder that they are in.`,
      "path",
    );
  }
  if (paths.reduce((sum, { length }) => sum + length, 0) > DUMP_PATHS_LIMIT) {
    throw new AppError(
      "invalid",
      `path must have at most ${DUMP_PATHS_LIMIT} characters in all: choose the folder that they are in.`,
      "path",
    );
  }
  const all = paths.map(namesOf);
  return [...new Map(all.map((names) => [writeSnapshotPath(names), names])).values()];
}

function nameOf(
  { id, hostname }: FoundSnapshot,
  [first, ...more]: Uint8Array[][],
  format: DumpFormat,
) {
  const last = more.length === 0 ? first!.at(-1) : undefined;
  const name = last ? shownName(last) : `${hostname}-${id.slice(0, 8)}`;
  return format === "raw" ? name : `${name}.${format}`;
}

function refuseTooLarge({ settings }: Server, dump: OpenDump): void {
  const { largestBytes } = settings.downloads;
  if (dump.size === null || dump.size <= largestBytes) return;
  dump.end();
  throw new AppError(
    "too_large",
    `The file has ${dump.size} bytes, and a download may have ${largestBytes} (RM_DOWNLOAD_BYTES). Restore it to a machine instead.`,
  );
}

class OneDownload implements Download {
  readonly name: string;
  readonly size: number | null;
  #hasEnded = false;

  constructor(
    private readonly own: {
      name: string;
      dump: OpenDump;
      close: () => void;
      audit: DownloadAudit;
    },
  ) {
    this.name = own.name;
    this.size = own.dump.size;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const piece = await this.own.dump.read();
      if (!piece) this.#end("whole");
      return piece;
    } catch (error) {
      this.#end(error instanceof StreamError ? WORDS[error.fault] ?? "failed" : "failed");
      throw error;
    }
  }

  leave(why: string): void {
    this.#end(why);
  }

  #end(how: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { dump, close, audit } = this.own;
    dump.end();
    close();
    audit.end(how, dump.received);
  }
}

const WORDS: Partial<Record<StreamError["fault"], string>> = {
  lost: "the machine that read it went offline",
  timed_out: "the machine that read it sent nothing, or not all of it in time",
  unread: "its reader took nothing for too long",
  given_up: "its reader left",
};

/** A row when it begins, without which there is none, and one that says how it ended. */
class DownloadAudit {
  readonly #row;
  #hasBegun = false;

  constructor(
    private readonly server: Server,
    private readonly actor: Actor,
    { snapshot, reader, paths, format }: {
      snapshot: FoundSnapshot;
      reader: ChosenReader;
      paths: string[];
      format: DumpFormat;
    },
  ) {
    this.#row = {
      target: {
        kind: "repository",
        id: snapshot.repository_id,
        name: snapshot.repository_name,
      } as const,
      detail: {
        snapshot: snapshot.id,
        host: snapshot.source?.name ?? snapshot.hostname,
        format,
        paths: paths.slice(0, PATHS_NAMED).map((path) => path.slice(0, PATH_NAMED)),
        items: paths.length,
        read_by: reader.name,
      },
    };
  }

  async begin(): Promise<void> {
    await change(
      this.server,
      this.actor,
      ({ audit }) => audit({ action: "snapshot.download_started", ...this.#row }),
    );
    this.#hasBegun = true;
  }

  /** Nobody waits for it. */
  end(how: string, bytes: number): void {
    if (!this.#hasBegun) return;
    const { target, detail } = this.#row;
    change(this.server, this.actor, ({ audit }) =>
      audit({
        action: "snapshot.download_ended",
        target,
        detail: { ...detail, ended: how.slice(0, 500), bytes },
      })).catch((error) => this.server.log.error(`audit of a download: ${messageOf(error)}`));
  }
}
