// A repository's secrets, as they are stored and as an agent receives them.
import type { RepositoriesTable } from "../database/tables.ts";
import type { Selectable } from "kysely";
import type { Server } from "../server.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

export interface AccessSecrets {
  password: string;
  rest_password: string | null;
  environment: Record<string, string>;
}

type Row = Selectable<RepositoriesTable>;
type SealedColumns = Pick<
  Row,
  "password_sealed" | "rest_password_sealed" | "environment_sealed" | "environment_names"
>;

const place = (row: string, column: string) => ({ table: "repositories", row, column });

export async function sealAccess(
  { secrets }: Server,
  id: string,
  access: AccessSecrets,
): Promise<SealedColumns> {
  const names = Object.keys(access.environment).sort();
  return {
    password_sealed: await secrets.seal(access.password, place(id, "password")),
    rest_password_sealed: access.rest_password === null
      ? null
      : await secrets.seal(access.rest_password, place(id, "rest_password")),
    environment_sealed: names.length === 0
      ? null
      : await secrets.seal(JSON.stringify(access.environment), place(id, "environment")),
    environment_names: JSON.stringify(names),
  };
}

/** Throws when a secret does not open (wrong key, or moved from another row). */
export async function openAccess({ secrets }: Server, row: Row): Promise<AccessSecrets> {
  return {
    password: await secrets.open(row.password_sealed, place(row.id, "password")),
    rest_password: row.rest_password_sealed &&
      await secrets.open(row.rest_password_sealed, place(row.id, "rest_password")),
    environment: row.environment_sealed
      ? JSON.parse(await secrets.open(row.environment_sealed, place(row.id, "environment")))
      : {},
  };
}

/** What an agent needs to work with the repository: the repository credential. */
export async function accessFor(server: Server, row: Row): Promise<RepositoryAccess> {
  return {
    id: row.id,
    url: row.url,
    username: row.username,
    ...(row.certificate_authority ? { certificate_authority: row.certificate_authority } : {}),
    options: JSON.parse(row.options),
    ...await openAccess(server, row),
  };
}
