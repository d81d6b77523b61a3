// The repository of a host that is to join: one that is there, or the fields of a new one.
import type { Transaction } from "kysely";
import { id } from "../../shared/fields.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { type CreatedRepository, prepareRepository } from "./create.ts";
import { NewRepository } from "./fields.ts";
import { getRepositoryRow } from "./find.ts";
import { refuseUnlessOpen } from "../approvals.ts";

/** The fields of a body; exactly one of them has to be there. */
export const REPOSITORY_CHOICE = {
  repository_id: id.nullable().optional(),
  repository: NewRepository.optional(),
};

export interface ChosenRepository extends CreatedRepository {
  /** Makes a new one; does nothing for one that exists. */
  insert(tx: Transaction<Tables>, actor: Actor): Promise<void>;
}

/**
 * Throws invalid or conflict about `repository_id` or `repository.…`, not_found for an id that is nobody's, forbidden for an
 * operator and a repository that is not open.
 */
export async function chooseRepository(
  server: Server,
  actor: Actor,
  input: { repository_id?: string | null; repository?: NewRepository },
): Promise<ChosenRepository> {
  const { repository_id, repository } = input;
  if (!repository_id === !repository) {
    throw new AppError(
      "invalid",
      "repository_id or repository is required: an existing repository's id, or the fields of a new one, not both.",
      "repository_id",
    );
  }
  if (!repository) {
    const row = await getRepositoryRow(server, repository_id!);
    refuseUnlessOpen(actor, row);
    return { id: row.id, generatedPassword: null, warnings: [], insert: () => Promise.resolve() };
  }
  const prepared = await inBody(() => prepareRepository(server, repository));
  const warnings = prepared.warnings.map((warning) => `repository.${warning}`);
  return { ...prepared, warnings, insert: (tx, actor) => inBody(() => prepared.insert(tx, actor)) };
}

/** What is wrong with `name` is wrong with `repository.name` here. */
async function inBody<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof AppError) || error.field === undefined) throw error;
    const message = error.message.startsWith(error.field)
      ? `repository.${error.message}`
      : error.message;
    throw new AppError(error.code, message, `repository.${error.field}`);
  }
}
