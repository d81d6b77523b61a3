import { FRAME_LIMIT } from "../../shared/protocol.ts";
import { keepsEverything, Retention } from "../../shared/retention.ts";
import type { Server } from "../server.ts";
import { decide, type Decision } from "./decide.ts";
import { type OwnSnapshot, ownSnapshots } from "./own.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";

/** What one order may take of the frame that carries it; groups that do not fit have their turn at the next run. */
const ORDER_CHARACTERS = FRAME_LIMIT * 0.6;
/** What has to be there is named by so many digits, which nobody can forge, so that an order stays small. */
const KEEP_DIGITS = 16;
/** Of one group in one run; the rest goes at the next. */
const MOST_REMOVED = 4000;

interface Group {
  id: string;
  snapshot_tag: string;
  snapshot_host: string;
  retention: string;
  forgotten_retention: string | null;
  time_zone: string;
}

/** Whether any group that uses the repository has a policy. */
export async function hasPolicy(server: Server, repositoryId: string): Promise<boolean> {
  return (await groupsOf(server, repositoryId)).some((group) => policyOf(group) !== null);
}

/**
 * Which snapshots of which groups of a repository go. A group without a policy keeps everything and is not ordered. The
 * group whose turn was the longest ago comes first.
 */
export async function forgetOrders(
  server: Server,
  repositoryId: string,
  agreed: boolean,
): Promise<ForgetOrder[]> {
  const orders: ForgetOrder[] = [];
  let characters = 0;
  for (const group of await groupsOf(server, repositoryId)) {
    const retention = policyOf(group);
    if (!retention) continue;
    const own = await ownSnapshots(server.db, group.id, repositoryId);
    const last = readPolicy(group.forgotten_retention);
    const decision = decide(own, { retention, timeZone: group.time_zone, last });
    const order = toOrder(group, retention, decision, agreed);
    characters += JSON.stringify(order).length;
    if (characters > ORDER_CHARACTERS && orders.length > 0) break;
    orders.push(order);
  }
  return orders;
}

async function groupsOf({ db }: Server, repositoryId: string): Promise<Group[]> {
  return await db.selectFrom("source_groups")
    .innerJoin("hosts", "hosts.id", "source_groups.host_id")
    .select(["source_groups.id", "snapshot_tag", "snapshot_host", "retention"])
    .select(["forgotten_retention", "time_zone"])
    .where("repository_id", "=", repositoryId).where("on_hold_since", "is", null)
    .orderBy("forgotten_at").orderBy("snapshot_host").orderBy("source_groups.name").execute();
}

/** null for one that keeps everything. One that the agent would refuse is no policy either. */
function policyOf({ retention }: Group): Retention | null {
  return readPolicy(retention);
}

export function readPolicy(text: string | null): Retention | null {
  const read = Retention.safeParse(JSON.parse(text ?? "{}"));
  return read.success && !keepsEverything(read.data) ? read.data : null;
}

function toOrder(
  group: Group,
  retention: Retention,
  { keep, remove, held }: Decision,
  agreed: boolean,
): ForgetOrder {
  // The oldest first, so that what is left for the next run is the newest.
  const goes = [...remove].reverse().slice(0, MOST_REMOVED);
  return {
    source_group_id: group.id,
    tag: group.snapshot_tag,
    host: group.snapshot_host,
    retention,
    snapshots: byPlace(keep.map(({ snapshot }) => snapshot), goes),
    ...(held && !agreed ? { held } : {}),
  };
}

/** The agent holds each id against the host and the tags that the repository itself tells. */
export function byPlace(keep: OwnSnapshot[], remove: OwnSnapshot[]): ForgetOrder["snapshots"] {
  const places = new Map<string, ForgetOrder["snapshots"][number]>();
  const placeOf = ({ hostname, tags }: OwnSnapshot) => {
    const key = `${tags} ${hostname}`;
    const place: ForgetOrder["snapshots"][number] = places.get(key) ??
      { host: hostname, tags: JSON.parse(tags), keep: [], remove: [] };
    places.set(key, place);
    return place;
  };
  for (const snapshot of keep) placeOf(snapshot).keep.push(snapshot.id.slice(0, KEEP_DIGITS));
  for (const snapshot of remove) placeOf(snapshot).remove.push(snapshot.id);
  return [...places.values()];
}
