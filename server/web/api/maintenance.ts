import { limitsOf } from "../../../shared/bandwidth.ts";
import { z } from "zod";
import { setAdminCredential } from "../../maintenance/admin_credential.ts";
import { changeMaintenance } from "../../maintenance/change.ts";
import { AdminCredentialInput, MaintenanceInput } from "../../maintenance/fields.ts";
import { leaseHolders, ReleaseInput, releaseLease } from "../../jobs/release_lease.ts";
import { listLocks, listMaintenance, locksSeenAt } from "../../maintenance/find.ts";
import { startMaintenance } from "../../maintenance/start.ts";
import { getRepository } from "../../repositories/find.ts";
import {
  AdoptInput,
  adoptSnapshots,
  ForgetInput,
  forgetUngoverned,
  KeepInput,
  keepUngoverned,
} from "../../retention/decide_ungoverned.ts";
import { previewRetention } from "../../retention/preview.ts";
import { listUngoverned } from "../../retention/ungoverned.ts";
import { secretWarnings } from "../../repositories/secret_warnings.ts";
import { getSourceGroup } from "../../source_groups/find.ts";
import { needAdmin } from "../../rights.ts";
import type { Server } from "../../server.ts";
import { pathId, readJson } from "../body.ts";
import { actorOf } from "../context.ts";
import { startedShape, taskShape, withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { UngovernedList } from "../../../shared/shapes/snapshot.ts";
import { RetentionPreview } from "../../../shared/shapes/source_group.ts";
import { StartedJob } from "../../../shared/shapes/job.ts";
import { ChangedRepository } from "../../../shared/shapes/repository.ts";
import { Maintenance, MaintenanceTasks } from "../../../shared/shapes/maintenance.ts";
import { RepositoryJobInput } from "../../maintenance/start_fields.ts";
import { PreviewedRetention } from "../../retention/fields.ts";
import { wantsAllRemoved } from "../../jobs/remove_all_input.ts";
import { listMaintenanceHosts } from "../../repositories/maintenance_hosts.ts";

const PreviewInput = z.strictObject({ retention: PreviewedRetention });

/** Of the hosts that may hold the admin credential: their ids, and with names and what they wait for. */
async function namedHosts(server: Server, repositoryId: string) {
  const hosts = await listMaintenanceHosts(server.db, repositoryId);
  return { host_ids: hosts.map(({ id }) => id), hosts };
}

export const maintenanceRoutes: ApiRoute[] = [
  apiRoute({
    method: "PUT",
    path: "/api/repositories/:id/admin-credential",
    role: "admin",
    summary: "Sets the credential that may delete (write-only); an empty object removes it",
    body: AdminCredentialInput,
    response: { 200: ChangedRepository },
    handler: async (server, c) => {
      const repositoryId = pathId(c, "id");
      const input = await readJson(c, AdminCredentialInput);
      await setAdminCredential(server, actorOf(c), repositoryId, input);
      const repository = await getRepository(server, repositoryId);
      const warnings = secretWarnings({ ...repository, ...input });
      return { ...withIsoTimes(repository), warnings };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/repositories/:id/maintenance",
    role: "operator",
    summary:
      "Forget, prune and check: cadence, next and last run, what is wrong; locks as last seen; who holds the lease",
    response: { 200: Maintenance },
    handler: async (server, c) => {
      const { id: repositoryId } = await getRepository(server, pathId(c, "id"));
      const tasks = (await listMaintenance(server, repositoryId)).map(taskShape);
      const locks = await listLocks(server, repositoryId);
      const locks_seen_at = await locksSeenAt(server, repositoryId);
      const named = await namedHosts(server, repositoryId);
      const leases = await leaseHolders(server, repositoryId);
      return { tasks, ...withIsoTimes({ locks, locks_seen_at, leases, ...named }) };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories/:id/lease/release",
    whenFull: true,
    role: "admin",
    summary:
      "Lets others write although the host that forgets, prunes, checks or inits there has not said that it ended; confirm_hostname is that host's name",
    body: ReleaseInput,
    response: { 204: null },
    handler: async (server, c) => {
      const { confirm_hostname } = await readJson(c, ReleaseInput);
      await releaseLease(server, actorOf(c), pathId(c, "id"), confirm_hostname);
    },
  }),
  apiRoute({
    method: "PUT",
    path: "/api/repositories/:id/maintenance",
    role: "operator",
    summary:
      "Changes the cadences that are given (UTC); host_ids, for admins, names the hosts that may hold the admin credential",
    body: MaintenanceInput,
    response: { 200: MaintenanceTasks },
    handler: async (server, c) => {
      const repositoryId = pathId(c, "id");
      await changeMaintenance(
        server,
        actorOf(c),
        repositoryId,
        await readJson(c, MaintenanceInput),
      );
      const tasks = (await listMaintenance(server, repositoryId)).map(taskShape);
      const named = await namedHosts(server, repositoryId);
      return { tasks, ...withIsoTimes(named) };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories/:id/jobs",
    role: "operator",
    summary: "Runs forget, prune, check, unlock or stats now on a connected host of the repository",
    body: RepositoryJobInput,
    response: { 202: StartedJob },
    handler: async (server, c) => {
      const input = await readJson(c, RepositoryJobInput);
      const isForAll = wantsAllRemoved(actorOf(c), input);
      const { kind, host_id, confirm_hostname } = input;
      const { dry_run, may_drop_most } = input;
      if (host_id) {
        needAdmin(actorOf(c), "host_id", "host_id says where it runs, which only admins do.");
      }
      const { jobId } = await startMaintenance(server, actorOf(c), pathId(c, "id"), {
        kind,
        request: { dry_run, may_drop_most },
        ...(isForAll ? { removeAllOf: confirm_hostname } : {}),
        limits: limitsOf(input),
        ...(host_id ? { hostId: host_id } : {}),
      });
      return startedShape(c, jobId);
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/source-groups/:gid/retention-preview",
    whenFull: true,
    role: "operator",
    summary:
      "What a policy would do to the group's snapshots as they are listed now, before it is saved; also while the host is offline",
    body: PreviewInput,
    response: { 200: RetentionPreview },
    handler: async (server, c) => {
      const group = await getSourceGroup(server, pathId(c, "id"), pathId(c, "gid"));
      const { retention } = await readJson(c, PreviewInput);
      return withIsoTimes(await previewRetention(server, group.id, retention));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/repositories/:id/ungoverned-snapshots",
    role: "operator",
    summary:
      "Snapshots in the repository that no source group governs, by host name and tags, as its maintenance listed them",
    response: { 200: UngovernedList },
    handler: async (server, c) => {
      const { id: repositoryId } = await getRepository(server, pathId(c, "id"));
      return withIsoTimes(await listUngoverned(server, repositoryId));
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories/:id/ungoverned-snapshots/adopt",
    role: "admin",
    summary: "A source group governs them from now on, each at its own time",
    body: AdoptInput,
    response: { 200: z.object({ adopted: z.number() }) },
    handler: async (server, c) =>
      await adoptSnapshots(server, actorOf(c), pathId(c, "id"), await readJson(c, AdoptInput)),
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories/:id/ungoverned-snapshots/keep",
    role: "operator",
    summary: "They stay, and are no longer asked about",
    body: KeepInput,
    response: { 204: null },
    handler: async (server, c) => {
      await keepUngoverned(server, actorOf(c), pathId(c, "id"), await readJson(c, KeepInput));
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories/:id/ungoverned-snapshots/forget",
    role: "admin",
    summary: "Forgets them, as a job; confirm_hostname is the host name that the snapshots carry",
    body: ForgetInput,
    response: { 202: StartedJob },
    handler: async (server, c) => {
      const input = await readJson(c, ForgetInput);
      return startedShape(c, await forgetUngoverned(server, actorOf(c), pathId(c, "id"), input));
    },
  }),
];
