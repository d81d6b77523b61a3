// What is in an order, whatever its kind.
import type { SourceGroupOrder } from "../../shared/job_kinds/backup.ts";
import type { RestoreOrder } from "../../shared/job_kinds/restore.ts";
import type { CommandRun, Origin } from "../../shared/protocol.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

/** What is to be done, by the server's word or by this host's own clock. */
export type Order = CommandRun & { origin?: Origin };

/** What it backs up. */
export function groupOf(order: Order): SourceGroupOrder | undefined {
  return "source_group" in order ? order.source_group : undefined;
}

/** The credential that came with it, which may delete. */
export function adminAccessIn(order: Order): RepositoryAccess | undefined {
  return "admin_access" in order ? order.admin_access : undefined;
}

/** The credential of a repository that is not this host's, for this order alone. */
export function readerAccessIn(order: Order): RepositoryAccess | undefined {
  return "reader_access" in order ? order.reader_access : undefined;
}

/** What it restores. */
export function restoreOf(order: Order): RestoreOrder | undefined {
  return "restore" in order ? order.restore : undefined;
}
