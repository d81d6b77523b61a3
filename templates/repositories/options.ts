import { middleCut } from "../format.ts";
import type { Option } from "../parts/field.tsx";

/** Repositories to choose from: there may be two hundred, so each is told in few words. */
export function repositoryOptions(
  repositories: { id: string; name: string; url: string }[],
): Option[] {
  return repositories.map(({ id, name, url }) => ({
    value: id,
    label: `${middleCut(name, 50)} · ${middleCut(url, 60)}`,
  }));
}
