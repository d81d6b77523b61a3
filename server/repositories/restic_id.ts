// The id that restic gave a repository when it was made. Two addresses with one id are one repository, or a copy; another
// id at an address is another repository. Agents report it, and an agent may lie, so an id joins no rows, credentials or
// rights. The first id that is reported for an address counts. Another one afterwards raises a question: forget, prune, check
// and init of this repository wait until an admin has said which id is right, while backups go on, because one too many
// can be removed and one too few cannot be made. A host only refers to the repository that it uses, so a liar stops what is
// its own. The host that raised a question takes it back by seeing the stored id again; no other host does.
import type { Transaction } from "kysely";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { auditOfHost } from "../quotas/day.ts";
import type { Server } from "../server.ts";

export interface ReportedId {
  repositoryId: string;
  hostId: string;
  /** When the host saw it. */
  at: number;
  opened: NonNullable<JobFinished["opened"]>;
  /** A person ordered a new repository here, and the host has made it. */
  isNew: boolean;
}

/** In the transaction that stores the report. A report of an earlier address, or of a repository that is not the host's, says nothing. */
export async function noteResticId(
  server: Server,
  tx: Transaction<Tables>,
  report: ReportedId,
): Promise<void> {
  const now = server.now();
  const { repositoryId, hostId, at, opened: { restic_id, address } } = report;
  const repository = await tx.selectFrom("repositories")
    .innerJoin("hosts", "hosts.repository_id", "repositories.id")
    .select(["repositories.name", "url", "url_normalised", "hosts.name as host_name"])
    .where("repositories.id", "=", repositoryId).where("hosts.id", "=", hostId)
    .executeTakeFirst();
  if (!repository || repository.url_normalised !== address) return;
  const place = { repository_id: repositoryId, host_id: placeOf(repository.url, hostId) };
  const known = await atPlace(tx, place);
  const first = { restic_id, first_seen_at: at };
  if (!known) {
    await tx.insertInto("repository_ids").values({ ...place, ...first }).execute();
    return;
  }
  if (report.isNew) {
    const rejected_id = known.restic_id === restic_id ? null : known.restic_id;
    const answer = { rejected_id, answered_at: now };
    return await store(tx, place, { ...first, ...NO_QUESTION, ...answer });
  }
  if (known.restic_id === restic_id) {
    if (known.other_host_id === hostId) await store(tx, place, NO_QUESTION);
    return;
  }
  // Of several questions one is enough, and an answer stands against a report that was made before it and arrives late.
  const isLate = restic_id === known.rejected_id && at <= (known.answered_at ?? 0);
  if (known.other_id !== null || isLate) return;
  const { name, host_name } = repository;
  await store(tx, place, {
    other_id: restic_id,
    other_host_id: hostId,
    other_host_name: host_name,
    other_at: at,
  });
  await auditOfHost(server, tx, hostId, {
    actor: { kind: "agent", id: hostId, name: host_name, address: null },
    act: {
      action: "repository.id_changed",
      target: { kind: "repository", id: repositoryId, name },
      detail: { before: known.restic_id, now: restic_id },
    },
  });
}

type Place = { repository_id: string; host_id: string | null };
type Change = Partial<Omit<Tables["repository_ids"], keyof Place>>;

export const NO_QUESTION = {
  other_id: null,
  other_host_id: null,
  other_host_name: null,
  other_at: null,
};

export async function store(tx: Transaction<Tables>, place: Place, change: Change): Promise<void> {
  await tx.updateTable("repository_ids").set(change)
    .where("repository_id", "=", place.repository_id).where("host_id", "is", place.host_id)
    .execute();
}

export async function atPlace(tx: Pick<Transaction<Tables>, "selectFrom">, place: Place) {
  return await tx.selectFrom("repository_ids").selectAll()
    .where("repository_id", "=", place.repository_id).where("host_id", "is", place.host_id)
    .executeTakeFirst();
}

/** The host, where its address means something else on every host: a path, or a remote of its own rclone.conf. */
export function placeOf(url: string, hostId: string): string | null {
  try {
    const { isOfHost, backend } = parseRepositoryUrl(url);
    return isOfHost || backend === "rclone" ? hostId : null;
  } catch {
    // Stored by an earlier version and refused today: nothing opens it.
    return hostId;
  }
}
