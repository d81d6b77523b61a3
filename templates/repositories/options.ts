import { middleCut } from "../format.ts";
import type { Repository } from "../../shared/shapes/repository.ts";
import type { Option } from "../parts/field.tsx";

export type OfferedRepository = Pick<Repository, "id" | "name" | "url">;

/** Repositories to choose from: there may be two hundred, so each is told in few words. */
export function repositoryOptions(
  repositories: OfferedRepository[],
): Option[] {
  return repositories.map(({ id, name, url }) => ({
    value: id,
    label: `${middleCut(name, 50)} · ${middleCut(url, 60)}`,
  }));
}
