import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { pushConfig } from "../hosts/push.ts";
import type { Actor, Server } from "../server.ts";
import { refuseTakenName } from "./create.ts";
import type { ChangedRepository } from "./fields.ts";
import { getRepositoryRow } from "./find.ts";
import { type AccessSecrets, openAccess, sealAccess } from "./seal.ts";

/** Changes what is given; secrets that are left out stay. Every connected host of the repository hears of it at once. */
export async function changeRepository(
  server: Server,
  actor: Actor,
  id: string,
  wish: ChangedRepository,
): Promise<void> {
  const row = await getRepositoryRow(server, id);
  const { url, normalised } = parseRepositoryUrl(wish.url);
  const moved = normalised !== row.url_normalised;
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
      append_only: wish.append_only === undefined ? row.append_only : wish.append_only ? 1 : 0,
      is_new: wish.is_new === undefined
        ? row.is_new
        : wish.is_new && (moved || !row.initialised_at)
        ? 1
        : 0,
      initialised_at: moved ? null : row.initialised_at,
      updated_at: now,
    }).where("id", "=", id).execute();
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
  await pushToHosts(server, id);
}

async function pushToHosts(server: Server, repositoryId: string): Promise<void> {
  const hosts = await server.db.selectFrom("hosts").select("id")
    .where("repository_id", "=", repositoryId).execute();
  for (const { id } of hosts) {
    if (server.agents.isOnline(id)) await pushConfig(server, id);
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
  return changed;
}
