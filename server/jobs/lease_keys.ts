// What a job's lease is a lease of. Keys of one place are one text in shared/repository_url.ts; a path of a host belongs to
// that host alone, except for init: two hosts may have mounted the same folder under one path, and two inits at once
// destroy a repository. Where a repository's own id is known it is a key too, under whatever addresses it stands.
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { atPlace, placeOf } from "../repositories/restic_id.ts";
import type { Server } from "../server.ts";
import type { JobRow } from "./find.ts";

export interface LeaseKeys {
  /** The normalised address: the key of an init. */
  address: string;
  /** The same, of this host only where it is a path of the host. */
  place: string;
  /** The id that restic gave the repository, as hosts have reported it. */
  resticId: string | undefined;
}

/** undefined when the repository is gone. */
export async function leaseKeys(
  { db }: Server,
  job: Pick<JobRow, "repository_id" | "host_id">,
): Promise<LeaseKeys | undefined> {
  const row = await db.selectFrom("repositories").select(["url", "url_normalised"])
    .where("id", "=", job.repository_id).executeTakeFirst();
  if (!row) return undefined;
  const known = await atPlace(db, {
    repository_id: job.repository_id,
    host_id: placeOf(row.url, job.host_id),
  });
  const address = row.url_normalised;
  return {
    address,
    place: isOfHost(row.url) ? `${address} on ${job.host_id}` : address,
    resticId: known?.restic_id,
  };
}

function isOfHost(url: string): boolean {
  try {
    return parseRepositoryUrl(url).isOfHost;
  } catch {
    return false;
  }
}

/** What those have in common who work in the same repository. */
export function sharedKeys({ place, resticId }: LeaseKeys): string[] {
  return [place, ...resticId ? [idKey(resticId)] : []];
}

/** The key of a repository whose own id is known. */
export function idKey(resticId: string): string {
  return `id ${resticId}`;
}
