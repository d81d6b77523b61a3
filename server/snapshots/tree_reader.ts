// Which machine reads a snapshot: the host whose it is, else another one of its repository, each with the credential that it has anyway.
import { AppError } from "../errors.ts";
import type { AgentSocket } from "../connected_agents.ts";
import { refuseDoubted } from "../hosts/instances.ts";
import type { Server } from "../server.ts";
import type { TreeReader } from "../../shared/shapes/tree.ts";
import type { FoundSnapshot } from "./get.ts";

export interface ChosenReader extends TreeReader {
  agent: AgentSocket;
}

export type ReadKind = "tree" | "dump" | "diff" | "find";

const CANNOT: Record<ReadKind, string> = {
  tree: "opens no snapshots",
  dump: "sends no files of snapshots",
  diff: "compares no snapshots",
  find: "searches no snapshots",
};

/** Throws agent_offline, agent_failed (all that are online are too old), conflict (two machines use the only one's identity). */
export async function chooseReader(
  server: Server,
  snapshot: Pick<FoundSnapshot, "repository_id" | "repository_name" | "source">,
  kind: ReadKind,
): Promise<ChosenReader> {
  const hosts = await server.db.selectFrom("hosts").select(["id", "name", "doubted_since"])
    .where("repository_id", "=", snapshot.repository_id).orderBy("name").execute();
  const isSource = ({ id }: { id: string }) => id === snapshot.source?.id;
  hosts.sort((a, b) => Number(isSource(b)) - Number(isSource(a)));
  const trusted = hosts.filter(({ doubted_since }) => doubted_since === null);
  const online = trusted.flatMap(({ id, name }) =>
    server.agents.of(id).map((agent) => ({ id, name, is_source: isSource({ id }), agent }))
  );
  const reader = online.find(({ agent }) => agent.streamKinds?.includes(kind));
  if (reader) return reader;
  const [old] = online;
  if (old) {
    throw new AppError(
      "agent_failed",
      `${old.name}'s agent is of an earlier version, which ${CANNOT[kind]}. Update it.`,
    );
  }
  const [first] = hosts;
  if (first && trusted.length === 0) refuseDoubted(first);
  throw new AppError("agent_offline", nobody(snapshot, trusted.map(({ name }) => name)));
}

function nobody(
  { repository_name, source }: Pick<FoundSnapshot, "repository_name" | "source">,
  names: string[],
): string {
  const none = "No machine that can read this snapshot is online:";
  const [first] = names;
  if (first === undefined) {
    return `${none} no host uses the repository ${repository_name} now. Add a host with that repository; any machine that reaches it will do.`;
  }
  const others = names.length > 1
    ? `, or on another of the ${names.length} hosts of ${repository_name}`
    : `, or add another host with the repository ${repository_name}`;
  return `${none} start the agent on ${
    source ? names.find((name) => name === source.name) ?? first : first
  }${others}.`;
}
