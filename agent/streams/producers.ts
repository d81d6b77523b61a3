// One row per kind of stream; the compiler asks for each that the protocol has.
import type { RequestOf, StreamKind, StreamRequest } from "../../shared/stream.ts";
import type { Agent } from "../agent.ts";
import { listFolder } from "./folder.ts";
import type { Produced } from "./running.ts";

export type Producers = {
  [K in StreamKind]: (
    agent: Pick<Agent, "brake" | "environment">,
    request: RequestOf<K>,
    signal: AbortSignal,
  ) => Produced;
};

export const PRODUCERS: Producers = { folder: listFolder };

export function produce(
  producers: Producers,
  agent: Pick<Agent, "brake" | "environment">,
  request: StreamRequest,
  signal: AbortSignal,
): Produced {
  switch (request.kind) {
    case "folder":
      return producers.folder(agent, request, signal);
    default:
      return request.kind satisfies never;
  }
}
