import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { pushConfig } from "../hosts/push.ts";
import { ensureRepository } from "../jobs/ensure_repository.ts";
import type { Actor, Server } from "../server.ts";
import { refuseUnlessAdmin } from "./admins_only.ts";
import { refuseTakenName } from "./create.ts";
import type { ChangedRepository } from "./fields.ts";
import { getRepositoryRow } from "./find.ts";
import { type AccessSecrets, openAccess, sealAccess } from "./seal.ts";
import { secretWarnings } from "./secret_warnings.ts";

/**
 * Changes what is given; secrets that are left out stay. Every connected host of the repository hears of it at once. Returns
 * warnings about secrets that would mask ordinary text in logs.
 */
export async function changeRepository(
  server: Server,
  actor: Actor,
  id: string,
  wish: ChangedRepository,
): Promise<string[]> {
  const row = await getRepositoryRow(server, id);
  refuseUnlessAdmin(actor, wish, row);
  const { url, normalised } = parseRepositoryUrl(wish.url);
  const moved = normalised !== row.url_normalised;
  if (moved) refuseKeptSecrets(row, wish);
  const sealed = await sealAccess(server, id, merge(await openAccess(server, row), wish));
  const now = server.now();
  await server.db.transaction().execute(async (tx) => {
    await refuseTakenName(tx, wish.name, id);
    await tx.updateTable("repositories").set({
      name: wish.name,
      url,
      url_normalised: normalised,
      username: wish.username === undefined ? row.username : wish.username,
      ...sealed,
      ...(wish.certificate_authority === undefined
        ? {}
        : { certificate_authority: wish.certificate_authority }),
      ...(wish.options ? { options: JSON.stringify(wish.options) } : {}),
      append_only: wish.append_only === undefined ? row.append_only : wish.append_only ? 1 : 0,
      is_new: wish.is_new === undefined
        ? row.is_new
        : wish.is_new && (moved || !row.initialised_at)
        ? 1
        : 0,
      initialised_at: moved ? null : row.initialised_at,
      // Of the place before: sent to another one, it would be given away.
      ...(moved
        ? {
          admin_set: 0,
          admin_username: null,
          admin_rest_password_sealed: null,
          admin_environment_sealed: null,
        }
        : {}),
      updated_at: now,
    }).where("id", "=", id).execute();
    if (moved) await tx.deleteFrom("repository_ids").where("repository_id", "=", id).execute();
    await tx.updateTable("hosts").set((expression) => ({
      plan_version: expression("plan_version", "+", 1),
      // Another place is another repository: each host makes or opens it anew.
      ...(moved ? { repository_ready_at: null, repository_job_id: null } : {}),
    })).where("repository_id", "=", id).execute();
    await recordAudit(tx, now, actor, {
      action: "repository.changed",
      target: { kind: "repository", id, name: wish.name },
      detail: { changed: changedFields(row, wish), url },
    });
  });
  await pushToHosts(server, id, moved);
  return secretWarnings({ ...wish, username: wish.username ?? row.username });
}

/**
 * What was entered for one place must not be sent to another by somebody who never knew it: it is given again. The
 * repository's own password never leaves the machine that runs restic.
 */
function refuseKeptSecrets(
  row: { rest_password_sealed: Uint8Array | null; environment_sealed: Uint8Array | null },
  wish: ChangedRepository,
): void {
  if (row.rest_password_sealed && !wish.rest_password) {
    throw new AppError(
      "invalid",
      "rest_password must be entered again, because the address is another one.",
      "rest_password",
    );
  }
  const kept = wish.environment === undefined || Object.values(wish.environment).includes(null);
  if (row.environment_sealed && kept) {
    throw new AppError(
      "invalid",
      "environment must be entered again with its values, because the address is another one.",
      "environment",
    );
  }
}

async function pushToHosts(
  server: Server,
  repositoryId: string,
  moved: boolean,
): Promise<void> {
  const hosts = await server.db.selectFrom("hosts").select("id")
    .where("repository_id", "=", repositoryId).execute();
  for (const { id } of hosts) {
    if (server.agents.isOnline(id)) await pushConfig(server, id);
    if (moved) await ensureRepository(server, id);
    server.events.publish({ type: "host", hostId: id });
  }
}

function merge(stored: AccessSecrets, wish: ChangedRepository): AccessSecrets {
  if (wish.environment === undefined) {
    return { ...stored, ...given(wish) };
  }
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(wish.environment)) {
    const kept = value ?? stored.environment[name];
    if (kept === undefined) {
      throw new AppError("invalid", `environment.${name} needs a value.`, "environment");
    }
    environment[name] = kept;
  }
  return { ...stored, ...given(wish), environment };
}

function given(wish: ChangedRepository): Partial<AccessSecrets> {
  return {
    ...(wish.password ? { password: wish.password } : {}),
    ...(wish.rest_password ? { rest_password: wish.rest_password } : {}),
  };
}

/** Names only: what was set is nobody's business but the agents'. */
function changedFields(
  row: { name: string; url: string; username: string | null },
  wish: ChangedRepository,
): string[] {
  const changed: string[] = [];
  if (row.name !== wish.name) changed.push("name");
  if (row.url !== wish.url) changed.push("url");
  if (wish.username !== undefined && row.username !== wish.username) changed.push("username");
  if (wish.password) changed.push("password");
  if (wish.rest_password) changed.push("rest_password");
  if (wish.environment) changed.push("environment");
  if (wish.append_only !== undefined) changed.push("append_only");
  if (wish.certificate_authority !== undefined) changed.push("certificate_authority");
  if (wish.options) changed.push("options");
  return changed;
}
