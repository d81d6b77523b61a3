// What earlier subjects ask of later ones (ARCHITECTURE.md, the order of subjects). The later ones are put into the server when
// it is opened, so that imports go one way.
import type { Transaction } from "kysely";
import type { Tables } from "./database/tables.ts";
import type { Server } from "./server.ts";

/** The plan of a host: what its agent is told to be (plan/push.ts). */
export interface PlanActions {
  changed(server: Server, tx: Transaction<Tables>, hostId: string): Promise<void>;
  shrank(tx: Transaction<Tables>, hostId: string): Promise<void>;
  refuseUnlessTaken(server: Server, tx: Transaction<Tables>, hostId: string): Promise<void>;
  push(server: Server, hostId: string): Promise<void>;
  pushConfig(server: Server, hostId: string): Promise<void>;
}

/** Jobs that follow from a change elsewhere. */
export interface WorkActions {
  /** The host is at a repository that it has not opened yet (jobs/ensure_repository.ts). */
  ensureRepository(server: Server, hostId: string): Promise<void>;
  /** What jobs waited for may be over (jobs/dispatch.ts). */
  dispatchAll(server: Server): Promise<void>;
}
