import { change } from "../change.ts";
import { newId } from "../../shared/new_id.ts";
import { AppError } from "../errors.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import { refuseEnded } from "../users/find.ts";
import { TOKEN_SECONDS } from "./create_token.ts";

export interface RejoinToken {
  id: string;
  /** Shown once; only its hash is stored. */
  token: string;
  expires_at: number;
  name: string;
}

/**
 * The one-time token by which a reinstalled machine takes this host back. One that was made before and is not used is
 * withdrawn. Throws not_found.
 */
export async function createRejoinToken(
  server: Server,
  actor: Actor,
  hostId: string,
): Promise<RejoinToken> {
  const id = newId();
  const token = randomSecret("rmt_");
  const now = server.now();
  const expires_at = now + TOKEN_SECONDS * 1000;
  const name = await change(server, actor, async ({ tx, audit }) => {
    await refuseEnded(tx, actor);
    const host = await tx.selectFrom("hosts").select(["name", "repository_id"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    await tx.updateTable("enrolment_tokens").set({ expires_at: now })
      .where("rejoins_host_id", "=", hostId).where("used_at", "is", null)
      .where("expires_at", ">", now).execute();
    await tx.insertInto("enrolment_tokens").values({
      id,
      token_hash: sha256(token),
      host_name: host.name,
      tags: "[]",
      initial_paths: "[]",
      repository_id: host.repository_id,
      created_by: actor.name,
      created_by_id: actor.kind === "user" ? actor.id : null,
      depends_on_token: actor.token ?? null,
      created_at: now,
      expires_at,
      used_at: null,
      host_id: null,
      rejoins_host_id: hostId,
    }).execute();
    await audit({
      action: "rejoin_token.created",
      target: { kind: "host", id: hostId, name: host.name },
    });
    return host.name;
  });
  return { id, token, expires_at, name };
}
