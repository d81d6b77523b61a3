// What the server knows of a kind of job beyond its traits (shared/job_kinds): how one is started, ordered and ended. The kinds
// stand above their subjects in server/job_kinds; jobs/ reaches them by `server.kinds`, so that it knows none of them.
import type { Selectable, Transaction } from "kysely";
import type { z } from "zod";
import type { JobKind, KINDS } from "../../shared/job_kinds/all.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import type { JobsTable, RepositoriesTable, Tables } from "../database/tables.ts";
import type { Actor, Server } from "../server.ts";
import type { JobRow } from "./find.ts";
import type { Verdict } from "./judge.ts";
import type { JobInput } from "./start.ts";

export type KindOrder<K extends JobKind> = z.infer<z.ZodObject<typeof KINDS[K]["order"]>>;

export type RepositoryRow = Selectable<RepositoriesTable>;

/** What is known of an end, whoever told it. */
export type Ended = Pick<JobFinished, "at" | "status" | "reason" | "reason_code">;

export interface ServerKind<K extends JobKind = JobKind> {
  /** Starts it on a host, as a person asked; returns the ids of its jobs. Absent where it has a route of its own. */
  start?(server: Server, actor: Actor, hostId: string, input: JobInput): Promise<string[]>;
  /** Throws when it cannot be in that repository, whoever asks. */
  refuse?(repository: RepositoryRow): void;
  /** What the row keeps of the request to start it in a repository. Throws when it makes no sense there. */
  prepare?(
    server: Server,
    repository: RepositoryRow,
    asked: Record<string, unknown>,
  ): Promise<Record<string, unknown>>;
  /** Its own fields of the order. Throws with the reason when the order cannot be made any more. */
  order(server: Server, job: JobRow): Promise<KindOrder<K>>;
  /** This one must be alone in its repository, although its kind need not be. */
  isAlone?(job: JobRow): boolean;
  /** It makes a repository where another one was: an id that is known of that place is no longer expected there. */
  makesAnew?(job: JobRow): boolean;
  /** It does not wait behind a job of its host that waits for another host; only for the making of its repository. */
  overtakes?: boolean;
  /** How long it waits for others, in milliseconds, before it fails and names them. */
  longestWaitMs: number;
  /** What its end really is, before it is stored. */
  judge?(tx: Transaction<Tables>, job: JudgedRow, ended: JobFinished): Promise<Verdict>;
  /** The columns that keep what it alone came to. */
  outcome?(finished: JobFinished): Partial<Pick<Selectable<JobsTable>, "result" | "sources">>;
  /** In the transaction that stores its report. True when the host's plan is another one by that. */
  finished?(
    server: Server,
    tx: Transaction<Tables>,
    job: JobRow,
    finished: JobFinished,
  ): Promise<boolean | void>;
  /** In the transaction that ends it, whether its agent reported that or the server decided upon it. */
  ended?(tx: Transaction<Tables>, job: JobRow, ended: Ended): Promise<void>;
}

export type JudgedRow = Pick<
  JobRow,
  "number" | "kind" | "source_group_id" | "actor_kind" | "created_at"
>;

export type ServerKinds = { [K in JobKind]: ServerKind<K> };

const HOUR = 3_600_000;
export const LONGEST_WAIT = 4 * HOUR;
/** A person who started it looks at it. */
export const LONGEST_WAIT_OF_A_PERSON = HOUR / 2;
