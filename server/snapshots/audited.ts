import type { Act } from "../audit/record.ts";
import type { FoundSnapshot } from "./get.ts";

/** What the audit says of an act on a snapshot: enough to know which one it was when it is gone. */
export function auditedSnapshot(
  action: string,
  snapshot: FoundSnapshot,
  more: Record<string, unknown> = {},
): Act {
  const { id, repository_id, repository_name, source, hostname, tags, paths, time } = snapshot;
  return {
    action,
    target: { kind: "repository", id: repository_id, name: repository_name },
    detail: {
      snapshot: id,
      host: source?.name ?? hostname,
      time: new Date(time).toISOString(),
      tags: tags.slice(0, 10),
      paths: paths.slice(0, 10).map((path) => path.slice(0, 200)),
      ...more,
    },
  };
}
