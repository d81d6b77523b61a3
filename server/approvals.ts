// What operators may choose on a host: an agent runs as root, so anyone who names its paths and repositories borrows its rights.
import { isBelow } from "../shared/roots.ts";
import type { Change } from "./change.ts";
import { AppError } from "./errors.ts";
import { isRestricted, needAdmin } from "./rights.ts";
import type { Actor } from "./server.ts";

/**
 * Throws forbidden with the field of the first path that is not below a folder which an admin approved for the host.
 * `before`: what stands there already may stay.
 */
export async function refuseUnapprovedPaths(
  { tx, actor }: Pick<Change, "tx" | "actor">,
  hostId: string,
  { field, paths, before = [] }: { field: string; paths: string[]; before?: string[] },
): Promise<void> {
  if (!isRestricted(actor)) return;
  const host = await tx.selectFrom("hosts").select(["approved_roots", "os"])
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) return;
  const roots = JSON.parse(host.approved_roots) as string[];
  const n = paths.findIndex((path) => !before.includes(path) && !isBelow(path, roots, host.os));
  if (n < 0) return;
  const which = `${field}.${n}`;
  throw new AppError(
    "forbidden",
    roots.length === 0
      ? `${which} must be below a folder that an admin approved for this host, and none is: an admin does that in the host's settings.`
      : `${which} must be below a folder that an admin approved for this host: ${
        roots.slice(0, 10).join(", ")
      }${roots.length > 10 ? ", …" : ""}.`,
    which,
  );
}

/** Throws forbidden unless operators may bind hosts to the repository. */
export function refuseUnlessOpen(
  actor: Actor,
  repository: { name: string; open_to_operators: number },
): void {
  if (repository.open_to_operators === 1) return;
  needAdmin(
    actor,
    "repository_id",
    `The repository ${repository.name} is not open to operators: only an admin binds a host to it.`,
  );
}

/** Throws forbidden unless an admin approved the repository for this host. */
export function refuseUnapprovedRepository(
  actor: Actor,
  host: { approved_repository_ids: string },
  repositoryId: string,
): void {
  if ((JSON.parse(host.approved_repository_ids) as string[]).includes(repositoryId)) return;
  needAdmin(
    actor,
    "repository_id",
    "repository_id must be a repository that an admin approved for this host, in its settings.",
  );
}
