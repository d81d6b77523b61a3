// Add host: a one-time token, valid for one hour, that turns an agent into a host.
import { change } from "../change.ts";
import type { Transaction } from "kysely";
import { z } from "zod";
import { hostName, paths, tags } from "../../shared/fields.ts";
import { newId } from "../../shared/new_id.ts";
import type { Tables } from "../database/tables.ts";
import { asciiLower } from "../hosts/ascii_lower.ts";
import { refuseTakenName } from "../hosts/names.ts";
import { randomSecret, sha256 } from "../random.ts";
import { chooseRepository, REPOSITORY_CHOICE } from "../repositories/choose.ts";
import { needAdmin } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { refuseEnded } from "../users/find.ts";

export const TOKEN_SECONDS = 3600;

export const EnrolmentInput = z.strictObject({
  hostname: hostName,
  tags: tags.default([]),
  initial_paths: paths.default([]),
  /** Withdraws a command for this name that is still open, for example because it was lost. */
  replace_open: z.boolean("must be true or false").default(false),
  /** The host may hold the admin credential of its repository. Admins only. */
  may_hold_admin_credential: z.boolean("must be true or false").default(false),
  ...REPOSITORY_CHOICE,
});
export type EnrolmentInput = z.infer<typeof EnrolmentInput>;

export interface CreatedEnrolment {
  id: string;
  /** Shown once; only its hash is stored. */
  token: string;
  expires_at: number;
  repository_id: string;
  repository_password: string | null;
  /** About secrets of a new repository that would mask ordinary text in logs. */
  warnings: string[];
}

export async function createEnrolmentToken(
  server: Server,
  actor: Actor,
  input: EnrolmentInput,
): Promise<CreatedEnrolment> {
  if (input.may_hold_admin_credential) refuseToName(actor);
  const repository = await chooseRepository(server, actor, input);
  const id = newId();
  const token = randomSecret("rmt_");
  const now = server.now();
  const expires_at = now + TOKEN_SECONDS * 1000;
  await change(server, actor, async ({ tx, audit }) => {
    await refuseEnded(tx, actor);
    if (input.replace_open) await withdrawOpen(tx, now, input.hostname);
    await refuseTakenName(tx, now, input.hostname, { field: "hostname" });
    await repository.insert(tx, actor);
    await tx.insertInto("enrolment_tokens").values({
      id,
      token_hash: sha256(token),
      host_name: input.hostname,
      tags: JSON.stringify([...new Set(input.tags)]),
      initial_paths: JSON.stringify(input.initial_paths),
      repository_id: repository.id,
      created_by: actor.name,
      created_by_id: actor.kind === "user" ? actor.id : null,
      depends_on_token: actor.token ?? null,
      created_at: now,
      expires_at,
      used_at: null,
      host_id: null,
      rejoins_host_id: null,
      may_hold_admin_credential: input.may_hold_admin_credential ? 1 : 0,
    }).execute();
    await audit({
      action: "enrolment_token.created",
      target: { kind: "enrolment_token", id, name: input.hostname },
      detail: { repository_id: repository.id },
    });
  });
  return {
    id,
    token,
    expires_at,
    repository_id: repository.id,
    repository_password: repository.generatedPassword,
    warnings: repository.warnings,
  };
}

function refuseToName(actor: Actor): void {
  const sentence = "may_hold_admin_credential may only be set by an admin.";
  needAdmin(actor, "may_hold_admin_credential", sentence);
}

async function withdrawOpen(tx: Transaction<Tables>, now: number, name: string): Promise<void> {
  await tx.updateTable("enrolment_tokens").set({ expires_at: now })
    .where((where) => where(where.fn<string>("lower", ["host_name"]), "=", asciiLower(name)))
    .where("rejoins_host_id", "is", null).where("used_at", "is", null)
    .where("expires_at", ">", now).execute();
}
