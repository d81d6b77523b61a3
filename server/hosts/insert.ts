import type { Transaction } from "kysely";
import { newId } from "../../shared/new_id.ts";
import type { Tables } from "../database/tables.ts";
import { SourceGroupInput } from "../source_groups/fields.ts";
import { insertSourceGroup } from "../source_groups/save.ts";
import { refuseTakenName } from "./names.ts";

export interface NewHost {
  id: string;
  name: string;
  bearerHash: Uint8Array;
  enrolmentKeyHash: Uint8Array | null;
  tags: string[];
  initialPaths: string[];
  repositoryId: string;
  /** The enrolment token that made it, which holds its name. */
  tokenId?: string;
  /** What the agent says of its machine. */
  machine: {
    hostname: string;
    os: string;
    arch: string;
    agent_version: string;
    restic_version: string | null;
  };
}

/** A host with its first source group, however it joined. Throws conflict when the name is taken; `field` is what the caller calls it. */
export async function insertHost(
  tx: Transaction<Tables>,
  now: number,
  host: NewHost,
  field: string,
): Promise<void> {
  await refuseTakenName(tx, now, host.name, { field, tokenId: host.tokenId });
  await tx.insertInto("hosts").values({
    id: host.id,
    name: host.name,
    snapshot_host: host.name,
    bearer_hash: host.bearerHash,
    enrolment_key_hash: host.enrolmentKeyHash,
    awaits_agent: 1,
    tags: JSON.stringify([...new Set(host.tags)]),
    time_zone: "UTC",
    repository_id: host.repositoryId,
    approved_roots: JSON.stringify(host.initialPaths),
    approved_repository_ids: JSON.stringify([host.repositoryId]),
    plan_version: 1,
    applied_plan_version: 0,
    ...host.machine,
    last_backup_warnings: 0,
    created_at: now,
  }).execute();
  const group = SourceGroupInput.parse({ name: "default", includes: host.initialPaths });
  await insertSourceGroup(tx, now, { hostId: host.id, id: newId() }, group);
}
