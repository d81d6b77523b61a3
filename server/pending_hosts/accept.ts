// An admin has compared the fingerprint and lets the machine in.
import { type Change, change } from "../change.ts";
import type { Selectable, Transaction } from "kysely";
import { z } from "zod";
import { hostName, id, paths, tags } from "../../shared/fields.ts";
import { newId } from "../../shared/new_id.ts";
import type { PendingHostsTable, Tables } from "../database/tables.ts";
import { afterTakingBack, takeBack } from "../enrolment/take_back.ts";
import { AppError } from "../errors.ts";
import { insertHost, type NewHost } from "../hosts/insert.ts";
import { randomSecret, sha256 } from "../random.ts";
import {
  chooseRepository,
  type ChosenRepository,
  REPOSITORY_CHOICE,
} from "../repositories/choose.ts";
import type { Actor, Server } from "../server.ts";
import { noSuchPendingHost } from "./find.ts";
import { handOver } from "./hand_over.ts";
import { insertNamed } from "../repositories/maintenance_hosts.ts";

const OF_A_NEW_HOST = ["name", "tags", "initial_paths", "repository_id", "repository"] as const;

export const Acceptance = z.strictObject({
  /** The one that was seen; the digits may be in groups. */
  fingerprint: z.string("must be text").max(200, "must be at most 200 characters")
    .transform((text) => text.replaceAll(/\s/g, "")),
  /**
   * The revision of the row that was seen. May be left out as long as the machine has said one thing only; afterwards
   * nobody but the caller knows which of them he saw.
   */
  revision: z.int("must be the revision that the list of pending hosts shows").min(1).optional(),
  /** Left out: the name under which the machine announced itself. */
  name: hostName.optional(),
  tags: tags.default([]),
  initial_paths: paths.default([]),
  /** An existing host whose machine this is, reinstalled; its name, groups and repository stay. */
  host_id: id.optional(),
  /** The host may hold the admin credential of its repository. */
  may_hold_admin_credential: z.boolean("must be true or false").default(false),
  ...REPOSITORY_CHOICE,
}).superRefine((input, context) => {
  if (!input.host_id) return;
  if (input.may_hold_admin_credential) {
    context.addIssue({
      code: "custom",
      path: ["may_hold_admin_credential"],
      message: "must be left out with host_id: name the host on its repository's page",
    });
  }
  for (const field of OF_A_NEW_HOST) {
    const value = input[field];
    if (value === undefined || value === null || Array.isArray(value) && value.length === 0) {
      continue;
    }
    context.addIssue({
      code: "custom",
      path: [field],
      message: "must be left out with host_id: it is what that host has already",
    });
  }
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
 * Makes the host, or gives an existing one to this machine, in one transaction, then hands the bearer to its agent if that is connected now, and else when it next
 * proves its key. Throws not_found, and conflict for one that was accepted already or has
 * another fingerprint, and for a host whose old agent is connected.
 */
export async function acceptPendingHost(
  server: Server,
  actor: Actor,
  pendingId: string,
  input: Acceptance,
): Promise<Accepted> {
  const repository = input.host_id ? undefined : await chooseRepository(server, actor, input);
  const hostId = input.host_id ?? newId();
  const { name, repositoryId, taken } = await change(server, actor, async (act) => {
    const row = await takeRow(act, pendingId, input);
    const { hostname, os, arch, agent_version, restic_version } = row;
    const newcomer = {
      // Nobody knows what this is the hash of: the bearer is minted when it is handed over.
      bearerHash: sha256(randomSecret()),
      enrolmentKeyHash: null,
      machine: { hostname, os, arch, agent_version, restic_version },
    };
    const taken = repository
      ? await insertNew(act, { hostId, repository, input, newcomer })
      : await takeBack(server, act.tx, { hostId, ...newcomer, field: "host_id" });
    return { ...await noteAccepted(act, { hostId, row, isTaken: !!taken }), taken };
  });
  server.events.publish({ type: "pending" });
  if (taken) await afterTakingBack(server, hostId, taken);
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
    repositoryId,
    generatedPassword: repository?.generatedPassword ?? null,
    warnings: repository?.warnings ?? [],
  };
}

type PendingRow = Selectable<PendingHostsTable>;

/** The row of the machine, which is gone from now on. Throws when it is not what the admin saw. */
async function takeRow(
  { tx, now }: Change,
  pendingId: string,
  input: Acceptance,
): Promise<PendingRow> {
  const row = await tx.deleteFrom("pending_hosts").where("id", "=", pendingId)
    .where("expires_at", ">", now).returningAll().executeTakeFirst();
  if (!row) throw await gone(tx, pendingId);
  if (row.fingerprint.toLowerCase() !== input.fingerprint.toLowerCase()) {
    throw new AppError(
      "conflict",
      "fingerprint is not that of the machine that waits here. Compare it again.",
      "fingerprint",
    );
  }
  refuseUnseen(row.revision, input.revision);
  return row;
}

type Newcomer = Pick<NewHost, "bearerHash" | "enrolmentKeyHash" | "machine">;

async function insertNew(
  { tx, actor, now }: Change,
  { hostId, repository, input, newcomer }: {
    hostId: string;
    repository: ChosenRepository;
    input: Acceptance;
    newcomer: Newcomer;
  },
): Promise<undefined> {
  await repository.insert(tx, actor);
  await insertHost(tx, now, {
    id: hostId,
    name: input.name ?? plainName(newcomer.machine.hostname),
    ...newcomer,
    tags: input.tags,
    initialPaths: input.initial_paths,
    repositoryId: repository.id,
  }, "name");
  if (input.may_hold_admin_credential) {
    await insertNamed({ tx, actor, now }, repository.id, hostId);
  }
}

async function noteAccepted(
  { tx, now, audit }: Change,
  { hostId, row, isTaken }: { hostId: string; row: PendingRow; isTaken: boolean },
): Promise<{ name: string; repositoryId: string }> {
  await tx.insertInto("accepted_keys").values({
    pending_id: row.id,
    host_id: hostId,
    public_key: row.public_key,
    accepted_at: now,
  }).execute();
  const host = await tx.selectFrom("hosts").select(["name", "repository_id"])
    .where("id", "=", hostId).executeTakeFirstOrThrow();
  const { fingerprint, hostname, os, arch, announced_from_ip } = row;
  await audit({
    action: "pending_host.accepted",
    target: { kind: "host", id: hostId, name: host.name },
    detail: {
      ...(isTaken ? { as_existing_host: true } : {}),
      fingerprint,
      hostname,
      os,
      arch,
      announced_from_ip,
      repository_id: host.repository_id,
    },
  });
  return { name: host.name, repositoryId: host.repository_id };
}

/** What an admin saw is what is accepted. Throws conflict. */
function refuseUnseen(revision: number, seen: number | undefined): void {
  if (revision === (seen ?? 1)) return;
  throw new AppError(
    "conflict",
    seen === undefined
      ? `This machine has said different things of itself since it first asked. Look at it again and send the revision that you see (now ${revision}).`
      : "This machine says something else of itself than when you looked. Compare it again.",
    "revision",
  );
}

/** A name that a machine gave itself becomes a host's only if a person could have typed it. Throws invalid. */
function plainName(hostname: string): string {
  const result = hostName.safeParse(hostname);
  if (result.success) return result.data;
  throw new AppError(
    "invalid",
    `name is needed: the one under which the machine announced itself ${
      result.error.issues[0]?.message ?? "cannot be taken"
    }.`,
    "name",
  );
}

async function gone(tx: Transaction<Tables>, pendingId: string): Promise<AppError> {
  const before = await tx.selectFrom("accepted_keys").innerJoin("hosts", "hosts.id", "host_id")
    .select("name").where("pending_id", "=", pendingId).executeTakeFirst();
  return before
    ? new AppError("conflict", `This machine was accepted already, as ${before.name}.`)
    : noSuchPendingHost();
}
