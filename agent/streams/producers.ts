// One row per kind of stream; the compiler asks for each that the protocol has.
import type { RequestOf, StreamKind, StreamRequest } from "../../shared/stream.ts";
import { listFolder } from "./folder.ts";
import type { Produced } from "./running.ts";
import { compareSnapshots } from "./diff.ts";
import { type DumpAgent, dumpItems } from "./dump.ts";
import { findFiles } from "./find.ts";
import { listTree } from "./tree.ts";

/** What producers need of the agent. */
export type ProducingAgent = DumpAgent;

export type Producers = {
  [K in StreamKind]: (
    agent: ProducingAgent,
    request: RequestOf<K>,
    signal: AbortSignal,
  ) => Produced;
};

export const PRODUCERS: Producers = {
  folder: listFolder,
  tree: listTree,
  dump: dumpItems,
  diff: compareSnapshots,
  find: findFiles,
};

export function produce(
  producers: Producers,
  agent: ProducingAgent,
  request: StreamRequest,
  signal: AbortSignal,
): Produced {
  switch (request.kind) {
    case "folder":
      return producers.folder(agent, request, signal);
    case "tree":
      return producers.tree(agent, request, signal);
    case "dump":
      return producers.dump(agent, request, signal);
    case "diff":
      return producers.diff(agent, request, signal);
    case "find":
      return producers.find(agent, request, signal);
    default:
      return request satisfies never;
  }
}
