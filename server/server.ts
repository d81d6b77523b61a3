// What every action receives first: the database, the agents, the clock, and where events go.
import type { AuditWatch } from "./audit/watch.ts";
import type { Clock } from "./clock.ts";
import type { Database } from "./database/open.ts";
import type { Disk } from "./disk.ts";
import type { ConnectedAgents } from "./connected_agents.ts";
import type { Events } from "./events.ts";
import type { PlanActions, WorkActions } from "./later.ts";
import type { ServerKinds } from "./jobs/kind.ts";
import type { Readings } from "./jobs/readings.ts";
import type { OpenDownloads } from "./snapshots/open_downloads.ts";
import type { Preview } from "./snapshots/preview.ts";
import type { Log } from "../shared/log.ts";
import type { Secrets } from "./secrets.ts";
import type { OpenLists } from "./snapshots/limits.ts";
import type { TreeListing } from "./snapshots/tree_listing.ts";
import type { DiffListing } from "./snapshots/diff_listing.ts";
import type { Searches } from "./snapshots/searches.ts";
import type { Trees } from "./snapshots/trees.ts";
import type { Settings } from "./settings.ts";
import type { Storage } from "./storage.ts";
import type { LineUse } from "./quotas/line_use.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { Paces, Slices } from "./quotas/pace.ts";
import type { Progresses } from "./quotas/progresses.ts";
import type { PasswordHasher } from "./users/password.ts";
import type { ActorKind, Role } from "./database/tables.ts";
import type { YieldQueue } from "./yield_queue.ts";
import type { Throttle } from "./throttle.ts";
import type { WaitingAgents } from "./waiting_agents.ts";

export interface Server {
  db: Database["db"];
  database: Database;
  agents: ConnectedAgents;
  /** Pending hosts whose key is proven and whose socket is open. */
  waiting: WaitingAgents;
  events: Events;
  /** How many live streams are open. */
  streams: OpenStreams;
  secrets: Secrets;
  passwords: PasswordHasher;
  settings: Settings;
  log: Log;
  clock: Clock;
  /** Milliseconds since 1970; after the clock was set, what it would be without (clock.ts). */
  now(): number;
  /** Milliseconds on a clock that never jumps: for durations. */
  elapsed(): number;
  /** The latest progress of each running job; only ever a picture, so it is not stored. */
  progress: Progresses;
  /** How many lines jobs and hosts have stored. */
  lineUse: LineUse;
  openLists: OpenLists;
  /** Folders of snapshots that were listed a moment ago. */
  trees: Trees<TreeListing>;
  /** What differs between two snapshots. */
  comparisons: Trees<DiffListing>;
  /** Searches over snapshots that run, and what the last ones found. */
  searches: Searches;
  /** Files of snapshots that someone looked at a moment ago. */
  previews: Trees<Preview>;
  downloads: OpenDownloads;
  /** Who reads which repository without a job. */
  readings: Readings;
  /** How fast each agent may go, and its turns among the others. */
  paces: Paces;
  slices: Slices;
  /** Counts the connections of each host. */
  handshakes: Throttle;
  disk: Disk;
  /** Whether the database can be written. */
  storage: Storage;
  throttle: Throttle;
  /** Holds the audit against what is kept outside the database. */
  audit: AuditWatch;
  /** A fleet that comes back greets the server in one moment; pages are answered in between. */
  hellos: YieldQueue;
  /** Counts what machines do that nobody knows: a flood of them must not push logins out of the other. */
  unauthenticated: Throttle;
  plan: PlanActions;
  work: WorkActions;
  /** What is particular to each kind of job. */
  kinds: ServerKinds;
  /** Where it listens; null until it does, and for a task of the command line. */
  listening: { hostname: string; port: number } | null;
  /** The secret of the first admin's setup link that this start made; null when there was a user. */
  setup: { token: string | null };
  /** Aborted when the server stops: ends what would otherwise stay open. */
  closing: AbortSignal;
}

/** Who does something, for the audit and for a job's origin. */
export interface Actor {
  kind: ActorKind;
  id: string | null;
  name: string;
  address: string | null;
  /** A user's. */
  role?: Role;
  /** The session's id that a user's request came with. */
  session?: string;
  /** The API token on which the act rests: what it makes must not outlive that token. */
  token?: string;
}

export const SYSTEM: Actor = { kind: "system", id: null, name: "restic-manager", address: null };
