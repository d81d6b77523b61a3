import { z } from "zod";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { insertHost } from "../hosts/insert.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";

const reported = (limit: number) =>
  z.string("must be text").max(limit, `must be at most ${limit} characters`).regex(
    /^\P{Cc}*$/u,
    "must not hold control characters",
  );

export const operatingSystem = z.enum(["linux", "windows", "darwin"], {
  error: "must be linux, windows or darwin",
});

export const Enrolment = z.strictObject({
  token: z.string("must be text").max(200, "must be the token that Add host shows"),
  hostname: reported(255),
  os: operatingSystem,
  arch: reported(32),
  agent_version: reported(64),
  restic_version: reported(64).nullable().optional(),
  /** The agent's own secret: with it, an enrolment whose answer was lost may be asked for again. */
  enrolment_key: z.string("must be text").regex(/^[0-9a-f]{64}$/, "must be 64 hex digits")
    .optional(),
});
export type Enrolment = z.infer<typeof Enrolment>;

export interface Enrolled {
  host_id: string;
  bearer: string;
}

/** Burns the token, makes the host and its first source group, all or nothing. */
export async function enrol(server: Server, address: string, wish: Enrolment): Promise<Enrolled> {
  server.throttle.check(`enrol:${address}`, 60, 60);
  const now = server.now();
  const bearer = randomSecret("rma_");
  const keyHash = wish.enrolment_key ? sha256(wish.enrolment_key) : null;
  const repeated = keyHash && await repeat(server, wish.token, keyHash, bearer);
  if (repeated) return { host_id: repeated, bearer };
  const hostId = newId();
  const tokenId = await server.db.transaction().execute(async (tx) => {
    const token = await tx.updateTable("enrollment_tokens").set({ used_at: now, host_id: hostId })
      .where("token_hash", "=", sha256(wish.token)).where("used_at", "is", null)
      .where("expires_at", ">", now).returningAll().executeTakeFirst();
    if (!token) throw refused();
    const { hostname, os, arch, agent_version, restic_version = null } = wish;
    await insertHost(tx, now, {
      id: hostId,
      name: token.host_name,
      bearerHash: sha256(bearer),
      enrolmentKeyHash: keyHash,
      tags: JSON.parse(token.tags),
      initialPaths: JSON.parse(token.initial_paths),
      repositoryId: token.repository_id,
      machine: { hostname, os, arch, agent_version, restic_version },
    }, "hostname");
    const actor: Actor = { kind: "agent", id: hostId, name: token.host_name, address };
    await recordAudit(tx, now, actor, {
      action: "host.enrolled",
      target: { kind: "host", id: hostId, name: token.host_name },
      detail: { token_id: token.id, hostname, os, arch },
    });
    return token.id;
  });
  server.events.publish({ type: "enrolled", hostId, tokenId });
  return { host_id: hostId, bearer };
}

/**
 * The answer may be lost after the commit. The same agent, known by its key, then asks again with the same token: it
 * receives a new bearer, as long as its host has never connected.
 */
async function repeat(
  server: Server,
  token: string,
  keyHash: Uint8Array,
  bearer: string,
): Promise<string | undefined> {
  const used = await server.db.selectFrom("enrollment_tokens").select("host_id")
    .where("token_hash", "=", sha256(token)).where("used_at", "is not", null)
    .where("expires_at", ">", server.now()).executeTakeFirst();
  if (!used?.host_id) return undefined;
  const host = await server.db.updateTable("hosts").set({ bearer_hash: sha256(bearer) })
    .where("id", "=", used.host_id).where("enrolment_key_hash", "=", keyHash)
    .where("last_seen_at", "is", null).returning("id").executeTakeFirst();
  return host?.id;
}

function refused(): AppError {
  // Used, expired and invented are refused alike: a stranger learns nothing.
  return new AppError(
    "unauthorized",
    "The enrolment token is not valid. It may be used or older than an hour; make a new one with Add host.",
    "token",
  );
}
