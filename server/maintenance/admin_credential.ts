// The credential that may delete: sealed here, sent with one order, never kept by an agent.
import { change } from "../change.ts";
import type { Selectable } from "kysely";
import { ENDPOINT_NAMES } from "../../shared/repository_environment.ts";
import type { RepositoriesTable } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { accessFor } from "../repositories/seal.ts";
import type { Actor, Server } from "../server.ts";
import type { AdminCredentialInput } from "./fields.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";
import { type JobKind, KINDS } from "../../shared/job_kinds/all.ts";

const place = (row: string, column: string) => ({ table: "repositories", row, column });

/** Replaces the admin credential; an empty input removes it. Throws invalid when it would be no other than the everyday one by accident. */
export async function setAdminCredential(
  server: Server,
  actor: Actor,
  repositoryId: string,
  input: AdminCredentialInput,
): Promise<void> {
  const row = await getRepositoryRow(server, repositoryId);
  const environment = input.environment ?? {};
  const given = Boolean(input.username || input.rest_password || Object.keys(environment).length);
  if (input.everyday && given) {
    throw new AppError(
      "invalid",
      "everyday must not be combined with another credential.",
      "everyday",
    );
  }
  refuseEndpoints(environment);
  if (input.username && !input.rest_password) {
    throw new AppError("invalid", "rest_password is required for that user.", "rest_password");
  }
  const sealed = {
    admin_set: input.everyday || given ? 1 : 0,
    admin_username: input.username ?? null,
    admin_rest_password_sealed: input.rest_password
      ? await server.secrets.seal(input.rest_password, place(row.id, "admin_rest_password"))
      : null,
    admin_environment_sealed: Object.keys(environment).length > 0
      ? await server.secrets.seal(JSON.stringify(environment), place(row.id, "admin_environment"))
      : null,
  };
  await change(server, actor, async ({ tx, audit }) => {
    await tx.updateTable("repositories").set({ ...sealed, updated_at: server.now() })
      .where("id", "=", row.id).execute();
    await audit({
      action: sealed.admin_set
        ? "repository.admin_credential_set"
        : "repository.admin_credential_removed",
      target: { kind: "repository", id: row.id, name: row.name },
    });
  });
}

/** Throws invalid: the admin credential works where the repository is, or the everyday one would follow it elsewhere. */
function refuseEndpoints(environment: Record<string, string>): void {
  const name = ENDPOINT_NAMES.find((each) => environment[each] !== undefined);
  if (!name) return;
  throw new AppError(
    "invalid",
    `environment.${name} says where the storage is and belongs to the repository itself, not to a credential.`,
    `environment.${name}`,
  );
}

/** Whether a job of that kind is given the admin credential: what deletes. A check and a dry run read with the everyday one. */
export function usesAdminCredential(
  repository: Pick<Selectable<RepositoriesTable>, "admin_set">,
  kind: JobKind,
  { dry_run = false }: { dry_run?: boolean | undefined } = {},
): boolean {
  return repository.admin_set === 1 &&
    KINDS[kind].credential === "admin" && !(dry_run && "dry_run" in KINDS[kind].input);
}

/** What the order of a forget or prune carries; undefined when there is none. */
export async function adminAccessFor(
  server: Server,
  row: Selectable<RepositoriesTable>,
): Promise<RepositoryAccess | undefined> {
  if (row.admin_set !== 1) return undefined;
  const everyday = await accessFor(server, row);
  const environment = row.admin_environment_sealed
    ? JSON.parse(
      await server.secrets.open(row.admin_environment_sealed, place(row.id, "admin_environment")),
    )
    : {};
  return {
    ...everyday,
    username: row.admin_username ?? everyday.username,
    rest_password: row.admin_rest_password_sealed
      ? await server.secrets.open(
        row.admin_rest_password_sealed,
        place(row.id, "admin_rest_password"),
      )
      : everyday.rest_password,
    environment: { ...everyday.environment, ...environment },
  };
}
