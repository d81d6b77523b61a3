// One row per kind of stream; the compiler asks for each that the protocol has.
import type { RequestOf, StreamKind, StreamRequest } from "../../shared/stream.ts";
import { listFolder } from "./folder.ts";
import type { Produced } from "./running.ts";
import { listTree, type TreeAgent } from "./tree.ts";

/** What producers need of the agent. */
export type ProducingAgent = TreeAgent;

export type Producers = {
  [K in StreamKind]: (
    agent: ProducingAgent,
    request: RequestOf<K>,
    signal: AbortSignal,
  ) => Produced;
};

export const PRODUCERS: Producers = { folder: listFolder, tree: listTree };

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
    default:
      return request satisfies never;
  }
}
