import type { Transaction } from "kysely";
import { newId } from "../../shared/new_id.ts";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { readablePassword } from "../random.ts";
import { isRestricted } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { refuseUnlessAdmin } from "./admins_only.ts";
import type { NewRepository } from "./fields.ts";
import { sealAccess } from "./seal.ts";
import { secretWarnings } from "./secret_warnings.ts";
import { insertMaintenance } from "./insert_maintenance.ts";

export interface CreatedRepository {
  id: string;
  /** Only when the server made it: the one time that it is shown. */
  generatedPassword: string | null;
  /** About secrets that would mask ordinary text in logs. */
  warnings: string[];
}

/** A repository ready to be inserted: sealing takes time that a transaction should not. */
export interface PreparedRepository extends CreatedRepository {
  insert(tx: Transaction<Tables>, actor: Actor): Promise<void>;
}

export async function createRepository(
  server: Server,
  actor: Actor,
  input: NewRepository,
): Promise<CreatedRepository> {
  const prepared = await prepareRepository(server, input);
  await server.db.transaction().execute((tx) => prepared.insert(tx, actor));
  const { id, generatedPassword, warnings } = prepared;
  return { id, generatedPassword, warnings };
}

/** Throws invalid when an existing repository is given without its password. */
export async function prepareRepository(
  server: Server,
  input: NewRepository,
): Promise<PreparedRepository> {
  if (!input.password && !input.is_new) {
    throw new AppError(
      "invalid",
      "password is required to open a repository that exists already.",
      "password",
    );
  }
  const id = newId();
  const generatedPassword = input.password ? null : readablePassword();
  const sealed = await sealAccess(server, id, {
    password: input.password || generatedPassword!,
    rest_password: input.rest_password ?? null,
    environment: definedValues(input.environment ?? {}),
  });
  const { url, normalised } = parseRepositoryUrl(input.url);
  const now = server.now();
  return {
    id,
    generatedPassword,
    warnings: secretWarnings(input),
    async insert(tx, actor) {
      refuseUnlessAdmin(actor, input);
      await refuseTakenName(tx, input.name, id);
      await tx.insertInto("repositories").values({
        id,
        name: input.name,
        url,
        url_normalised: normalised,
        username: input.username ?? null,
        ...sealed,
        append_only: input.append_only ? 1 : 0,
        certificate_authority: input.certificate_authority ?? null,
        options: JSON.stringify(input.options ?? {}),
        open_to_operators: input.open_to_operators ?? isRestricted(actor) ? 1 : 0,
        is_new: input.is_new ? 1 : 0,
        initialised_at: null,
        total_size: null,
        stats_at: null,
        created_at: now,
        updated_at: now,
      }).execute();
      await insertMaintenance(tx, id, now);
      await recordAudit(tx, now, actor, {
        action: "repository.created",
        target: { kind: "repository", id, name: input.name },
        detail: { url, is_new: input.is_new },
      });
    },
  };
}

export async function refuseTakenName(
  tx: Transaction<Tables>,
  name: string,
  id: string,
): Promise<void> {
  const other = await tx.selectFrom("repositories").select("id").where("name", "=", name)
    .where("id", "!=", id).executeTakeFirst();
  if (other) {
    throw new AppError("conflict", `There is already a repository named ${name}.`, "name");
  }
}

function definedValues(environment: Record<string, string | null>): Record<string, string> {
  const missing = Object.keys(environment).find((name) => environment[name] === null);
  if (missing) {
    throw new AppError("invalid", `environment.${missing} needs a value.`, "environment");
  }
  return environment as Record<string, string>;
}
