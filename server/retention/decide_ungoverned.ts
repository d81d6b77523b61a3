// What a person decides of snapshots that no group governs: a group takes them over, they are kept, or they are forgotten.
import { forgetNamed } from "./start_named.ts";
import { change } from "../change.ts";
import { z } from "zod";
import { sql, type Transaction } from "kysely";
import { id } from "../../shared/fields.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Actor, Server } from "../server.ts";
import { pinnedAmong } from "./pins.ts";
import { asPlaces, type UngovernedSnapshot, ungovernedSnapshots } from "./ungoverned.ts";

const named = {
  hostname: z.string("must be the host name of the snapshots").max(255, "must be a host name"),
  tags: z.array(z.string("must be a tag").max(200, "must be a tag"), "must be a list of tags")
    .max(100, "must be at most 100 tags"),
};

export const AdoptInput = z.strictObject({ ...named, source_group_id: id });
export const KeepInput = z.strictObject(named);
export const ForgetInput = z.strictObject({
  ...named,
  confirm_hostname: z.string("must be the host name of the snapshots").max(
    255,
    "must be the host name of the snapshots",
  ),
});

type Named = z.infer<typeof KeepInput>;

/** The group governs them from now on, each at its own time. Throws conflict when there are none. */
export async function adoptSnapshots(
  server: Server,
  actor: Actor,
  repositoryId: string,
  input: z.infer<typeof AdoptInput>,
): Promise<{ adopted: number }> {
  await getRepositoryRow(server, repositoryId);
  const snapshots = await some(server, repositoryId, input);
  await change(server, actor, async ({ tx, audit }) => {
    const group = await tx.selectFrom("source_groups")
      .innerJoin("hosts", "hosts.id", "source_groups.host_id")
      .select(["source_groups.id", "source_groups.name", "host_id"])
      .where("source_groups.id", "=", input.source_group_id)
      .where("repository_id", "=", repositoryId).executeTakeFirst();
    if (!group) {
      const sentence =
        "source_group_id must be a source group of a host that uses this repository.";
      throw new AppError("invalid", sentence, "source_group_id");
    }
    await takeOver(
      tx,
      actor,
      { repositoryId, hostId: group.host_id, groupId: group.id },
      snapshots,
    );
    await audit({
      action: "snapshots.adopted",
      target: { kind: "source_group", id: group.id, name: group.name },
      detail: { repository_id: repositoryId, ...namedOf(input), count: snapshots.length },
    });
  });
  return { adopted: snapshots.length };
}

/** Each at its own time. Claims of jobs whose group is gone, or that contradict each other, make room. */
async function takeOver(
  tx: Transaction<Tables>,
  actor: Actor,
  to: { repositoryId: string; hostId: string; groupId: string },
  snapshots: UngovernedSnapshot[],
): Promise<void> {
  const list = JSON.stringify(snapshots);
  await sql`delete from snapshot_claims where repository_id = ${to.repositoryId}
    and snapshot_id in (select value ->> 'id' from json_each(${list}))`.execute(tx);
  // Kept until now: a policy that would drop most of them asks first.
  await sql`insert into snapshot_claims (repository_id, snapshot_id, host_id, source_group_id, time,
      hostname, tags, confirmed, listed, kept, adopted_by)
    select ${to.repositoryId}, value ->> 'id', ${to.hostId}, ${to.groupId}, value ->> 'time',
      value ->> 'hostname', value ->> 'tags', 1, 1, 1, ${actor.name} from json_each(${list})`
    .execute(tx);
}

/** They stay as they are, and are no longer asked about. */
export async function keepUngoverned(
  server: Server,
  actor: Actor,
  repositoryId: string,
  input: Named,
): Promise<void> {
  await getRepositoryRow(server, repositoryId);
  await some(server, repositoryId, input);
  await change(server, actor, async ({ tx, audit }) => {
    const kept = { kept_by: actor.name, kept_at: server.now() };
    await tx.insertInto("ungoverned_kept").values({
      repository_id: repositoryId,
      hostname: input.hostname,
      tags: JSON.stringify(input.tags),
      ...kept,
    }).onConflict((conflict) =>
      conflict.columns(["repository_id", "hostname", "tags"]).doUpdateSet(kept)
    ).execute();
    await audit({
      action: "snapshots.kept",
      target: { kind: "repository", id: repositoryId, name: null },
      detail: namedOf(input),
    });
  });
}

/** A forget of these alone, as a job on a connected host. Throws name_mismatch unless their host name was typed. */
export async function forgetUngoverned(
  server: Server,
  actor: Actor,
  repositoryId: string,
  input: z.infer<typeof ForgetInput>,
): Promise<string> {
  if (input.confirm_hostname !== input.hostname) {
    throw new AppError(
      "name_mismatch",
      "confirm_hostname must be the host name of the snapshots, exactly.",
      "confirm_hostname",
    );
  }
  const places = asPlaces(await unpinned(server, repositoryId, input));
  return await forgetNamed(server, actor, repositoryId, { ...namedOf(input), places });
}

async function unpinned(
  server: Server,
  repositoryId: string,
  input: Named,
): Promise<UngovernedSnapshot[]> {
  const snapshots = await some(server, repositoryId, input);
  const pinned = await pinnedAmong(server.db, repositoryId, snapshots.map(({ id }) => id));
  const left = snapshots.filter(({ id }) => !pinned.has(id));
  if (left.length > 0) return left;
  throw new AppError("conflict", "All of these snapshots are pinned: unpin what may go first.");
}

async function some(
  server: Server,
  repositoryId: string,
  input: Named,
): Promise<UngovernedSnapshot[]> {
  const snapshots = await ungovernedSnapshots(server, repositoryId, input);
  if (snapshots.length > 0) return snapshots;
  throw new AppError(
    "conflict",
    "No snapshots with this host name and these tags are without a source group, by the last list of the repository.",
  );
}

function namedOf({ hostname, tags }: Named): Named {
  return { hostname, tags };
}
