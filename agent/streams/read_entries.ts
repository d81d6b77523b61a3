// What lies in a folder, entry by entry. Deno.readDir holds all of a folder in memory (80 MB for 100,000 names) and leaves out names that
// are not UTF-8 without a word, so where GNU find is there it reads instead: it stands still while nobody reads on.
import type { FolderEntryType } from "../../shared/folder.ts";
import type { Agent } from "../agent.ts";
import { isThere } from "../files.ts";
import { ManagedProcess } from "../process.ts";
import { ownEnvironment } from "../restic/environment.ts";
import { StreamProblem } from "./running.ts";

const FIND = "/usr/bin/find";
const GRACE_MS = 500;
/** Longer than any name; who prints more without an end is no find. */
const NAME_LIMIT = 65_536;

export type Entry = [type: FolderEntryType, name: string];

export interface ReadOptions extends Pick<Agent, "environment"> {
  signal: AbortSignal;
  /** Throws when the folder that is read must not be: it is told where that lies, with no link left. */
  check(place: string): Promise<void>;
}

/** The entries in the order of the file system, undefined for each whose name is no text. Throws StreamProblem. */
export async function* readEntries(
  path: string,
  options: ReadOptions,
): AsyncGenerator<Entry | undefined> {
  if (Deno.build.os !== "windows" && isThere(FIND)) {
    const found = yield* readByFind(path, options);
    if (found !== "not_gnu") return;
  }
  yield* readHere(path, options);
}

/** Where there is no GNU find. A link that is put in the way and taken away again in the right moments is not seen here. */
async function* readHere(path: string, { check }: ReadOptions): AsyncGenerator<Entry> {
  try {
    await check(await Deno.realPath(path));
    for await (const { name, isDirectory, isSymlink, isFile } of Deno.readDir(path)) {
      yield [isSymlink ? "link" : isDirectory ? "folder" : isFile ? "file" : "other", name];
    }
    await check(await Deno.realPath(path));
  } catch (error) {
    throw asProblem(error);
  }
}

/**
 * The shell goes into the folder, says where that lies, and becomes find: it is the same folder, whatever happens to its name. The shell
 * and not this process, since a storage that does not answer would hold up all of it.
 */
const READ =
  'cd -P -- "$1" && pwd -P && printf "\\0" && exec "$2" -P . -mindepth 1 -maxdepth 1 -printf "%y%f\\0"';

async function* readByFind(
  path: string,
  { environment, signal, check }: ReadOptions,
): AsyncGenerator<Entry | undefined, "not_gnu" | undefined> {
  let said = "";
  const process = new ManagedProcess({
    path: "/bin/sh",
    args: ["-c", READ, "sh", path, FIND],
    environment: { ...ownEnvironment(environment), LC_ALL: "C" },
    endSignal: "SIGTERM",
    onOut: "pull",
    onError: (chunk) => said = (said + new TextDecoder().decode(chunk)).slice(0, 2000),
  });
  const stop = () => process.stop("cancelled", GRACE_MS);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    let count = 0;
    let place: string | undefined;
    for await (const record of records(process.out)) {
      if (place === undefined) {
        place = placeIn(record);
        await check(place);
        continue;
      }
      count++;
      yield entryOf(record);
    }
    const { code } = await process.exit;
    // What it could not say of one entry (gone meanwhile) takes nothing from the others.
    if (code === 0 || count > 0 || signal.aborted) return undefined;
    if (/-printf/.test(said)) return "not_gnu";
    // The shell does not say why.
    if (place === undefined && !signal.aborted) {
      throw new StreamProblem("access_denied", "the agent may not read it");
    }
    throw problemInWords(said);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await process.exit;
  }
}

/** What `pwd` printed. Throws StreamProblem where that is no text, so that nobody can say where it lies. */
function placeIn(record: Uint8Array): string {
  try {
    return decoder.decode(record).replace(/\n$/, "");
  } catch {
    throw new StreamProblem("outside", "the name of a folder on the way is no text");
  }
}

/** The parts between NULs. */
async function* records(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    const bytes = joined(rest, piece);
    let from = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, from)) {
      yield bytes.subarray(from, end);
      from = end + 1;
    }
    rest = bytes.slice(from);
    if (rest.length > NAME_LIMIT) throw new Error("find printed a name without an end");
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

const TYPES: Record<string, FolderEntryType> = { d: "folder", f: "file", l: "link" };
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function entryOf(record: Uint8Array): Entry | undefined {
  try {
    const name = decoder.decode(record.subarray(1));
    return [TYPES[String.fromCharCode(record[0] ?? 0)] ?? "other", name];
  } catch {
    // No UTF-8: neither a plan nor restic's arguments could name it.
    return undefined;
  }
}

/** What find said of the folder itself, as the code of a stream. */
export function problemInWords(said: string): Error {
  if (/Permission denied|Operation not permitted/i.test(said)) {
    return new StreamProblem("access_denied", "the agent may not read it");
  }
  if (/No such file|Not a directory/i.test(said)) {
    return new StreamProblem("not_found", "there is no such folder");
  }
  return new Error(`find: ${said.trim().slice(0, 300)}`);
}

/** What the system says, as the code of a stream. */
export function asProblem(error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
    return new StreamProblem("not_found", "there is no such folder");
  }
  // Deno.NotCapable is a fault of ours.
  if (error instanceof Deno.errors.PermissionDenied) {
    return new StreamProblem("access_denied", "the agent may not read it");
  }
  return error;
}
