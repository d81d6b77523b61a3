// An admin has compared the fingerprint and lets the machine in.
import type { Transaction } from "kysely";
import { z } from "zod";
import { hostName, paths, tags } from "../../shared/fields.ts";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { insertHost } from "../hosts/insert.ts";
import { randomSecret, sha256 } from "../random.ts";
import { chooseRepository, REPOSITORY_CHOICE } from "../repositories/choose.ts";
import type { Actor, Server } from "../server.ts";
import { noSuchPendingHost } from "./find.ts";
import { handOver } from "./hand_over.ts";

export const Acceptance = z.strictObject({
  /** The one that was seen; the digits may stand in groups. */
  fingerprint: z.string("must be text").max(200, "must be at most 200 characters")
    .transform((text) => text.replaceAll(/\s/g, "")),
  /** Left out: the name under which the machine announced itself. */
  name: hostName.optional(),
  tags: tags.default([]),
  initial_paths: paths.default([]),
  ...REPOSITORY_CHOICE,
});
export type Acceptance = z.infer<typeof Acceptance>;

export interface Accepted {
  hostId: string;
  name: string;
  repositoryId: string;
  /** Only when the server made it: the one time that it is shown. */
  generatedPassword: string | null;
  /** About secrets of a new repository that would mask ordinary text in logs. */
  warnings: string[];
}

/**
 * Makes the host in one transaction, then hands the bearer to its agent if that is connected now, and else when it next
 * proves its key. Throws not_found, and conflict for one that was accepted already or has another fingerprint.
 */
export async function acceptPendingHost(
  server: Server,
  actor: Actor,
  pendingId: string,
  wish: Acceptance,
): Promise<Accepted> {
  const repository = await chooseRepository(server, wish);
  const hostId = newId();
  const now = server.now();
  const name = await server.db.transaction().execute(async (tx) => {
    const row = await tx.deleteFrom("pending_hosts").where("id", "=", pendingId)
      .where("expires_at", ">", now).returningAll().executeTakeFirst();
    if (!row) throw await gone(tx, pendingId);
    if (row.fingerprint.toLowerCase() !== wish.fingerprint.toLowerCase()) {
      throw new AppError(
        "conflict",
        "fingerprint is not that of the machine that waits here. Compare it again.",
        "fingerprint",
      );
    }
    const name = wish.name ?? row.hostname;
    const { hostname, os, arch, agent_version, restic_version, fingerprint } = row;
    await repository.insert(tx, actor);
    await insertHost(tx, now, {
      id: hostId,
      name,
      // Nobody knows what this is the hash of: the bearer is minted when it is handed over.
      bearerHash: sha256(randomSecret()),
      enrolmentKeyHash: null,
      tags: wish.tags,
      initialPaths: wish.initial_paths,
      repositoryId: repository.id,
      machine: { hostname, os, arch, agent_version, restic_version },
    }, "name");
    await tx.insertInto("accepted_keys").values({
      pending_id: pendingId,
      host_id: hostId,
      public_key: row.public_key,
      accepted_at: now,
    }).execute();
    await recordAudit(tx, now, actor, {
      action: "pending_host.accepted",
      target: { kind: "host", id: hostId, name },
      detail: {
        fingerprint,
        hostname,
        os,
        arch,
        announced_from_ip: row.announced_from_ip,
        repository_id: repository.id,
      },
    });
    return name;
  });
  server.events.publish({ type: "pending" });
  server.events.publish({ type: "host", hostId });
  try {
    await handOver(server, pendingId);
  } catch (error) {
    // The host is made, and a generated password must be shown now: its agent proves its key again and is answered then.
    server.log.error(`Host ${hostId} could not be given its bearer: ${(error as Error).message}`);
  }
  return {
    hostId,
    name,
    repositoryId: repository.id,
    generatedPassword: repository.generatedPassword,
    warnings: repository.warnings,
  };
}

async function gone(tx: Transaction<Tables>, pendingId: string): Promise<AppError> {
  const before = await tx.selectFrom("accepted_keys").innerJoin("hosts", "hosts.id", "host_id")
    .select("name").where("pending_id", "=", pendingId).executeTakeFirst();
  return before
    ? new AppError("conflict", `This machine was accepted already, as ${before.name}.`)
    : noSuchPendingHost();
}
