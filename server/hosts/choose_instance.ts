// Which of two machines with one identity is right: what an admin sees of them, and the word that settles it.
import { change } from "../change.ts";
import type { Transaction } from "kysely";
import { z } from "zod";
import { CLOSE } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { giveBearer, instancesInDoubt, isSame } from "./instances.ts";
import type { HostInstance } from "../../shared/shapes/host.ts";

/** The machines that a person chooses among, the one that was heard last first; empty when there is no doubt. */
export async function listInstances(server: Server, hostId: string): Promise<HostInstance[]> {
  const host = await server.db.selectFrom("hosts").select("doubted_since").where("id", "=", hostId)
    .executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  if (host.doubted_since === null) return [];
  const connected = server.agents.of(hostId).flatMap(({ instanceHash }) => instanceHash ?? []);
  const rows = await instancesInDoubt(server.db, hostId, host.doubted_since);
  return rows.map((row) => {
    const { instance_hash, host_id: _, number: __, superseded: ___, ...said } = row;
    return {
      id: nameOf(instance_hash),
      ...said,
      connected: connected.some((hash) => isSame(hash, instance_hash)),
    };
  });
}

const nameOf = (hash: Uint8Array) => hash.toHex().slice(0, 16);

export const InstanceChoice = z.strictObject({
  instance_id: z.string("must be the id of one of the two machines").regex(
    /^[0-9a-f]{16}$/,
    "must be the id of one of the machines that the host's instances name",
  ),
});
export type InstanceChoice = z.infer<typeof InstanceChoice>;

/**
 * An admin says which machine is right. It is given a new bearer now, or when it next says hello; the other is closed and
 * opens nothing any more. Throws not_found, conflict when nothing is in doubt, invalid for an id that is none of them.
 */
export async function chooseInstance(
  server: Server,
  actor: Actor,
  hostId: string,
  { instance_id }: InstanceChoice,
): Promise<void> {
  let hasBearer = false;
  await change(server, actor, async ({ tx, audit }) => {
    const host = await tx.selectFrom("hosts")
      .select(["name", "doubted_since", "chosen_instance_hash", "next_bearer_hash"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    if (host.doubted_since === null) {
      throw new AppError("conflict", `${host.name} is one machine as far as is known.`);
    }
    const chosen = await instanceNamed(tx, hostId, instance_id);
    if (!chosen) {
      throw new AppError(
        "invalid",
        "instance_id must be one of the machines that use this host's identity now.",
        "instance_id",
      );
    }
    const before = host.chosen_instance_hash;
    const isSameChoice = before !== null && isSame(before, chosen.instance_hash);
    // Said twice it changes nothing: the bearer that it has been given may be stored already.
    hasBearer = isSameChoice && host.next_bearer_hash !== null;
    if (isSameChoice) return;
    await tx.updateTable("hosts").set({
      chosen_instance_hash: chosen.instance_hash,
      // What another one was given before opens nothing.
      next_bearer_hash: null,
    }).where("id", "=", hostId).execute();
    await audit({
      action: "host.identity_chosen",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { hostname: chosen.hostname, address: chosen.address, instance_id },
    });
  });
  for (const agent of server.agents.of(hostId)) {
    if (agent.instanceHash && nameOf(agent.instanceHash) === instance_id) {
      if (!hasBearer) await giveBearer(server, agent);
    } else {
      server.agents.close(hostId, CLOSE.unknownHost, "another machine was chosen for this host");
    }
  }
  server.events.publish({ type: "host", hostId });
}

async function instanceNamed(tx: Transaction<Tables>, hostId: string, name: string) {
  const rows = await tx.selectFrom("host_instances")
    .select(["instance_hash", "hostname", "address"]).where("host_id", "=", hostId).execute();
  return rows.find(({ instance_hash }) => nameOf(instance_hash) === name);
}
