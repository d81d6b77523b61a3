// The folder of a host for the folder picker: the names and types of what lies in it, links not followed, nothing opened. Lines of JSON:
// an array [type, name] for each entry, then one object that says how much was left out.
import { FOLDER_BYTES_LIMIT, FOLDER_ENTRIES_LIMIT, type FolderLine } from "../../shared/folder.ts";
import { win32 } from "node:path";
import type { RequestOf } from "../../shared/stream.ts";
import type { Agent } from "../agent.ts";
import { isAbsoluteHere, liesWithin, placeLiesWithin, plainPath } from "../brake/roots.ts";
import { asProblem, type Entry, readEntries } from "./read_entries.ts";
import { type Produced, StreamProblem } from "./running.ts";

const isWindows = Deno.build.os === "windows";
const PIECE_CHARACTERS = 32_768;
const encoder = new TextEncoder();

/** Throws StreamProblem: no absolute path, not there, no folder, a link, no rights, or not allowed. */
export async function* listFolder(
  { brake, environment }: Pick<Agent, "brake" | "environment">,
  request: RequestOf<"folder">,
  signal: AbortSignal,
): Produced {
  const path = absolute(request.path);
  await refuseOutside(path, request.within, "outside");
  await refuseOutside(path, brake.roots, "refused_by_machine");
  // What an admin approved by the name of a link is the folder that it leads to.
  const isRoot = request.within?.some((root) => plainPath(root, isWindows) === path) ?? false;
  await refuseOther(path, isRoot);
  // Who works on this machine may put a link in the way meanwhile: what counts is where the folder lies that was read.
  const check = async (place: string) => {
    await refusePlace(place, request.within, "outside");
    await refusePlace(place, brake.roots, "refused_by_machine");
  };
  yield* inPieces(await collect(readEntries(path, { environment, signal, check })));
}

/** `..` is read in two ways where a link is before it, and Windows' devices are no folders. */
function absolute(path: string): string {
  const plain = isAbsoluteHere(path) && !path.includes("\0")
    ? plainPath(path, isWindows)
    : undefined;
  if (plain === undefined) {
    throw new StreamProblem("not_absolute", "an absolute path without .. is accepted");
  }
  // There brackets are plain letters of a name; only restic reads more into them.
  return isWindows ? win32.normalize(path).replace(/(?<!:)\\+$/, "") : plain;
}

async function refuseOutside(
  path: string,
  roots: string[] | null,
  code: "outside" | "refused_by_machine",
): Promise<void> {
  if (roots && !await liesWithin(path, roots)) {
    throw new StreamProblem(code, "it does not lie in one of the folders that are allowed");
  }
}

async function refusePlace(
  place: string,
  roots: string[] | null,
  code: "outside" | "refused_by_machine",
): Promise<void> {
  if (roots && !await placeLiesWithin(place, roots)) {
    throw new StreamProblem(code, "it does not lie in one of the folders that are allowed");
  }
}

async function refuseOther(path: string, mayBeLink: boolean): Promise<void> {
  let found;
  try {
    found = mayBeLink ? await Deno.stat(path) : await Deno.lstat(path);
  } catch (error) {
    throw asProblem(error);
  }
  if (found.isSymlink) throw new StreamProblem("is_link", "it is a link, which is not followed");
  if (!found.isDirectory) throw new StreamProblem("not_a_folder", "it is no folder");
}

interface Listing {
  entries: Entry[];
  rest: Extract<FolderLine, { cut: boolean }>;
}

/** As many entries as are listed; what comes after them is not read. */
async function collect(found: AsyncIterable<Entry | undefined>): Promise<Listing> {
  const listing: Listing = { entries: [], rest: { cut: false, not_text: 0 } };
  let bytes = 0;
  for await (const entry of found) {
    if (!entry) {
      listing.rest.not_text++;
      continue;
    }
    bytes += encoder.encode(JSON.stringify(entry)).length + 1;
    if (listing.entries.length >= FOLDER_ENTRIES_LIMIT || bytes > FOLDER_BYTES_LIMIT) {
      listing.rest.cut = true;
      break;
    }
    listing.entries.push(entry);
  }
  return listing;
}

function* inPieces({ entries, rest }: Listing): Generator<Uint8Array> {
  let text = "";
  for (const entry of entries) {
    text += `${JSON.stringify(entry)}\n`;
    if (text.length < PIECE_CHARACTERS) continue;
    yield encoder.encode(text);
    text = "";
  }
  yield encoder.encode(`${text}${JSON.stringify(rest)}\n`);
}
