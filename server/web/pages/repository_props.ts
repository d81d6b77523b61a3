// A repository as pages show it.
import type { RepositoryView } from "../../../templates/repositories/page.tsx";
import { allHosts } from "../../hosts/find.ts";
import { getRepository } from "../../repositories/find.ts";
import type { Server } from "../../server.ts";

/** Of a repository that many share. */
const HOSTS_SHOWN = 100;

export async function repositoryView(server: Server, id: string): Promise<RepositoryView> {
  const found = await getRepository(server, id);
  const hosts = found.hosts.length === 0
    ? []
    : (await allHosts(server)).filter((host) => host.repository_id === id)
      .sort((a, b) => b.urgency - a.urgency || (a.name < b.name ? -1 : 1));
  const nameOf = (hostId: string | null) =>
    found.hosts.find(({ id }) => id === hostId)?.name ?? null;
  return {
    ...found,
    restic_ids: found.restic_ids.map((place) => ({ ...place, hostName: nameOf(place.host_id) })),
    hosts: hosts.slice(0, HOSTS_SHOWN),
    hostCount: hosts.length,
  };
}
