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
  return {
    id,
    name: found.name,
    url: found.url,
    username: found.username,
    isPasswordSet: found.password_set,
    isRestPasswordSet: found.rest_password_set,
    environmentNames: found.environment_names,
    isAppendOnly: found.append_only,
    isOpenToOperators: found.open_to_operators,
    initialisedAt: found.initialised_at,
    isNew: found.is_new,
    sizeBytes: found.total_size,
    sizeAt: found.stats_at,
    createdAt: found.created_at,
    places: found.restic_ids.map(({ host_id, restic_id, changed }) => ({
      hostId: host_id,
      hostName: found.hosts.find((host) => host.id === host_id)?.name ?? null,
      resticId: restic_id,
      changed: changed && {
        resticId: changed.restic_id,
        hostId: changed.host_id,
        hostName: changed.host_name,
        at: changed.at,
      },
    })),
    sameAs: found.same_as,
    hostCount: hosts.length,
    hosts: hosts.slice(0, HOSTS_SHOWN).map(({ id, name, state, last_success_at }) => ({
      id,
      name,
      state,
      lastSuccessAt: last_success_at,
    })),
  };
}
