import { z } from "zod";
import { operatingSystem } from "../../shared/announce.ts";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { insertHost } from "../hosts/insert.ts";
import { networksOf } from "../network.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import { afterTakingBack, takeBack } from "./take_back.ts";
import { insertNamed } from "../repositories/maintenance_hosts.ts";
import type { Enrolled } from "../../shared/shapes/enrolment.ts";

const reported = (limit: number) =>
  z.string("must be text").max(limit, `must be at most ${limit} characters`).regex(
    /^\P{Cc}*$/u,
    "must not hold control characters",
  );

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

/**
 * Burns the token and makes the host with its first source group, or gives back the host that the token was made for, all or
 * nothing. Throws conflict, with the token left as it was, while that host's agent is connected.
 */
export async function enrol(server: Server, address: string, input: Enrolment): Promise<Enrolled> {
  for (const { network, isWide } of networksOf(address)) {
    if (!isWide) server.throttle.check(`enrol:${network}`, 60, 60);
  }
  const now = server.now();
  const bearer = randomSecret("rma_");
  const keyHash = input.enrolment_key ? sha256(input.enrolment_key) : null;
  const repeated = keyHash && await repeat(server, input.token, keyHash, bearer);
  if (repeated) return { host_id: repeated, bearer };
  const { hostId, tokenId, taken } = await server.db.transaction().execute(async (tx) => {
    const token = await tx.updateTable("enrolment_tokens").set({ used_at: now })
      .where("token_hash", "=", sha256(input.token)).where("used_at", "is", null)
      .where("expires_at", ">", now).returningAll().executeTakeFirst();
    if (!token) throw refused();
    const { hostname, os, arch, agent_version, restic_version = null } = input;
    const machine = { hostname, os, arch, agent_version, restic_version };
    const keys = { bearerHash: sha256(bearer), enrolmentKeyHash: keyHash };
    const hostId = token.rejoins_host_id ?? newId();
    const taken = token.rejoins_host_id
      ? await takeBack(server, tx, { hostId, ...keys, machine, field: "token" })
      : undefined;
    if (!taken) {
      await insertHost(tx, now, {
        id: hostId,
        name: token.host_name,
        ...keys,
        tags: JSON.parse(token.tags),
        initialPaths: JSON.parse(token.initial_paths),
        repositoryId: token.repository_id,
        tokenId: token.id,
        machine,
      }, "hostname");
    }
    if (!taken && token.may_hold_admin_credential === 1) {
      const actor = { name: token.created_by };
      await insertNamed({ tx, actor, now }, token.repository_id, hostId);
    }
    await tx.updateTable("enrolment_tokens").set({ host_id: hostId })
      .where("id", "=", token.id).execute();
    const name = taken?.name ?? token.host_name;
    const actor: Actor = { kind: "agent", id: hostId, name, address };
    await recordAudit(tx, now, actor, {
      action: taken ? "host.rejoined" : "host.enrolled",
      target: { kind: "host", id: hostId, name },
      detail: { token_id: token.id, hostname, os, arch },
    });
    return { hostId, tokenId: token.id, taken };
  });
  if (taken) await afterTakingBack(server, hostId, taken);
  server.events.publish({ type: "enrolled", hostId, tokenId });
  // What the agent stores for good, the server must not forget in a power cut.
  await server.database.flush();
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
  const used = await server.db.selectFrom("enrolment_tokens").select("host_id")
    .where("token_hash", "=", sha256(token)).where("used_at", "is not", null)
    .where("expires_at", ">", server.now()).executeTakeFirst();
  if (!used?.host_id) return undefined;
  const host = await server.db.updateTable("hosts").set({ bearer_hash: sha256(bearer) })
    .where("id", "=", used.host_id).where("enrolment_key_hash", "=", keyHash)
    .where("awaits_agent", "=", 1).returning("id").executeTakeFirst();
  return host?.id;
}

function refused(): AppError {
  // Used, expired and invented are refused alike: a stranger learns nothing.
  return new AppError(
    "unauthorized",
    "The enrolment token is not valid. It may be used, withdrawn or older than an hour; make a new one.",
    "token",
  );
}
