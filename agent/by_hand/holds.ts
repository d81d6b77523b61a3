// Whether a snapshot holds what is wanted, before it is taken for the latest: a file that was deleted is in none of the newest ones.
import { exactArguments, pathBytes } from "../restic/exact_arguments.ts";
import { LineSplitter } from "../restic/lines.ts";
import { failed, type Outcome } from "../restic/outcome.ts";
import type { RunContext } from "../restic/context.ts";
import { runRestic } from "../restic/run.ts";
import { readTreeLine } from "../restic/tree.ts";
import { inRuns, type Item, jsonPath } from "../restore/items.ts";

const LINE_LIMIT = 4_194_304;

/** The first of the items that is not in it, or why that cannot be told. undefined: all are. */
export async function missingIn(
  context: RunContext,
  snapshot: string,
  items: Item[],
): Promise<Item | Outcome | undefined> {
  // The root itself is in every snapshot, and in no listing.
  const wanted = items.filter(({ names }) => names.length > 0);
  const left = new Set(wanted.map(({ names }) => jsonPath(names)));
  let isListed = wanted.length === 0;
  const take = (line: string) => {
    const read = readTreeLine(line);
    if (!read) return;
    if ("snapshot" in read) isListed ||= read.snapshot === snapshot;
    else left.delete(read.node.path);
  };
  for (const { items } of inRuns({ base: [], target: "", items: wanted })) {
    const { failure } = await runRestic(context, {
      ...listing(snapshot, items),
      pull: (out) => readLines(out, take),
    });
    if (failure) return failure;
  }
  // Before 0.16 an id that is unknown is no failure.
  if (!isListed) return failed("no_list", "restic did not say what the snapshot holds.", 0);
  return wanted.find(({ names }) => left.has(jsonPath(names)));
}

/** Each item itself and its children; 63 digits, since with all of them 0.16 asks for a snapshot that is gone for a minute. */
function listing(snapshot: string, items: Item[]) {
  return exactArguments(["ls", "--json", "--no-lock"], [
    [snapshot.slice(0, 63)],
    ...items.map(({ names }) => [pathBytes(names)]),
  ]);
}

async function readLines(
  out: AsyncIterable<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const lines = new LineSplitter(take, LINE_LIMIT);
  for await (const chunk of out) lines.push(chunk);
  lines.end();
}
