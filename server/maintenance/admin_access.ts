// Who is given the admin credential with an order.
import type { RepositoryAccess } from "../../shared/repository_access.ts";
import type { JobRow } from "../jobs/find.ts";
import { isDryRun } from "../jobs/request.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Server } from "../server.ts";
import { adminAccessFor, usesAdminCredential } from "./admin_credential.ts";
import { mayHoldAdminCredential } from "../repositories/maintenance_hosts.ts";

/** The admin credential for a job that needs it. Throws when its starter or its host may not have it (any more). */
export async function adminAccessOf(
  server: Server,
  job: JobRow,
): Promise<{ admin_access?: RepositoryAccess }> {
  const repository = await getRepositoryRow(server, job.repository_id);
  if (!usesAdminCredential(repository, job.kind, { dry_run: isDryRun(job) })) return {};
  // Asked again here: since it was queued the host may have become another machine, or an admin may have said no.
  if (job.actor_kind === "user" && !await isAdmin(server, job.actor_id)) {
    throw new Error("it uses the admin credential, and was started by someone who is no admin.");
  }
  if (!await mayHoldAdminCredential(server.db, repository.id, job.host_id)) {
    throw new Error("this host may not hold the admin credential of the repository.");
  }
  const admin_access = await adminAccessFor(server, repository);
  return admin_access ? { admin_access } : {};
}

async function isAdmin({ db }: Server, userId: string | null): Promise<boolean> {
  const user = await db.selectFrom("users").select("role").where("id", "=", userId ?? "")
    .executeTakeFirst();
  return user?.role === "admin";
}
