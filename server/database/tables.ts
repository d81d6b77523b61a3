// One interface per table. Times are milliseconds since 1970 (UTC); lists and objects are JSON text.
import type { SourceGroupSettings } from "../../shared/shapes/source_group_settings.ts";
import type { ColumnsOf } from "./columns.ts";
import type { ColumnType, Generated } from "kysely";
import type { JobStatus } from "../../shared/job.ts";
import type { JobKind, MaintenanceKind } from "../../shared/job_kinds/all.ts";
import type { ResticProblemCode } from "../../shared/protocol.ts";
import type { ActorKind } from "../../shared/shapes/actor.ts";
import type { Role } from "../../shared/shapes/user.ts";

export type { ActorKind, Role };

/** Set once, when the row is made. */
type Fixed<T> = ColumnType<T, T, never>;

export interface UsersTable {
  id: Fixed<string>;
  username: string;
  /** "" until the user has set one by a setup link. */
  password_hash: string;
  role: Role;
  disabled_at: number | null;
  /** The API token by which the account was made, raised, enabled or given its password: it ends with that token. */
  depends_on_token: string | null;
  created_at: Fixed<number>;
}

export interface SessionsTable {
  /** SHA-256 of the cookie's value. */
  token_hash: Fixed<Uint8Array>;
  id: Fixed<string>;
  user_id: Fixed<string>;
  /** Where it was signed in from. */
  address: Fixed<string | null>;
  created_at: Fixed<number>;
  last_seen_at: number;
  expires_at: number;
}

export interface ApiTokensTable {
  id: Fixed<string>;
  user_id: Fixed<string>;
  name: Fixed<string>;
  token_hash: Fixed<Uint8Array>;
  created_at: Fixed<number>;
  expires_at: Fixed<number | null>;
  last_used_at: number | null;
  /** The token that made it, or on which the account of who made it rests. */
  depends_on_token: Fixed<string | null>;
}

/** One-time links by which a person sets a password: of a user, or (user_id null) of the first admin. */
export interface SetupLinksTable {
  token_hash: Fixed<Uint8Array>;
  user_id: Fixed<string | null>;
  created_by_id: Fixed<string | null>;
  depends_on_token: Fixed<string | null>;
  created_at: Fixed<number>;
  expires_at: Fixed<number>;
}

/** From where each user has signed in: a stranger's guesses never lock these out. */
export interface KnownNetworksTable {
  user_id: Fixed<string>;
  /** The narrowest of network.ts. */
  network: Fixed<string>;
  last_login_at: number;
}

/** One row per guess and limit that it counts for. */
export interface LoginTriesTable {
  number: Generated<number>;
  key: Fixed<string>;
  at: number;
}

export interface RepositoriesTable {
  id: Fixed<string>;
  name: string;
  url: string;
  /** From shared/repository_url.ts: the key of leases. Brought up to date at each start. */
  url_normalised: string;
  password_sealed: Uint8Array;
  username: string | null;
  rest_password_sealed: Uint8Array | null;
  /** A JSON object of names and values. */
  environment_sealed: Uint8Array | null;
  environment_names: string;
  append_only: number;
  /** PEM: what the storage's certificate must lead to. */
  certificate_authority: string | null;
  /** Extended options of restic (-o), as a JSON object. */
  options: Generated<string>;
  /** 0 or 1: operators may bind hosts to it and change how it is reached. */
  open_to_operators: Generated<number>;
  /** An admin said "make a new repository here" and none has been made or found yet. */
  is_new: number;
  initialised_at: number | null;
  total_size: number | null;
  /** What a restore of all snapshots would write; beside total_size it shows what deduplication saves. */
  restore_size: number | null;
  snapshots_count: number | null;
  stats_at: number | null;
  /** The list of all hosts' snapshots that is in force, and when it was received. */
  listing_report_id: string | null;
  listing_at: number | null;
  /** The credential that may delete: another user, or other keys, or (all null) the everyday one. */
  admin_set: Generated<number>;
  admin_username: string | null;
  admin_rest_password_sealed: Uint8Array | null;
  admin_environment_sealed: Uint8Array | null;
  created_at: Fixed<number>;
  updated_at: number;
}

export interface HostsTable {
  id: Fixed<string>;
  name: string;
  /** The name under which its snapshots stand; stays when the host is renamed. */
  snapshot_host: Fixed<string>;
  bearer_hash: Uint8Array;
  /** Lets an agent whose enrolment answer was lost ask again; SHA-256 of its key. */
  enrolment_key_hash: Uint8Array | null;
  /** 0 or 1: no agent has connected with its bearer yet, so that another one may be minted in its place. */
  awaits_agent: Generated<number>;
  /** Since when two machines use its identity, and which a person chose; null when none is in doubt. */
  doubted_since: number | null;
  chosen_instance_hash: Uint8Array | null;
  /** Of the bearer that the chosen one was given; it becomes the bearer when it is first used. */
  next_bearer_hash: Uint8Array | null;
  /** Since a reinstalled machine took it back; until a person says that its data is restored nothing runs by itself. */
  on_hold_since: number | null;
  tags: string;
  time_zone: string;
  repository_id: string;
  /** JSON: the folders below which operators may choose paths, and the repositories that they may bind it to. */
  approved_roots: Generated<string>;
  approved_repository_ids: Generated<string>;
  /** When this host first made or opened its repository, and the job that last tried. */
  repository_ready_at: number | null;
  repository_job_id: string | null;
  bandwidth_up_kib_per_s: number | null;
  bandwidth_down_kib_per_s: number | null;
  /** BandwidthWindow[] of shared/bandwidth.ts as JSON. */
  bandwidth_windows: Generated<string>;
  pre_hook_default_sealed: Uint8Array | null;
  post_hook_default_sealed: Uint8Array | null;
  /** 0 or 1: its default hooks end at the first step that fails. */
  hook_stop_at_error_default: Generated<number>;
  /** Brakes of shared/protocol.ts as JSON: what its agent reports of agent.yaml; only ever shown. */
  brakes: string | null;
  /** What its agent reports of itself (hosts/agent_problems.ts) as JSON. */
  agent_problems: Generated<string>;
  plan_version: number;
  applied_plan_version: number;
  hostname: string;
  os: string;
  arch: string;
  agent_version: string;
  restic_version: string | null;
  restic_problem: string | null;
  /** Which of the two it is, as its agent says; and since when there is no usable restic, by the server's clock. */
  restic_problem_code: ResticProblemCode | null;
  restic_problem_since: number | null;
  protocol_version: number | null;
  boot_time: number | null;
  last_seen_at: number | null;
  /** The same by how long the server ran (clock.ts): silence counts only then. */
  heard_ran: number | null;
  /** How far its clock was ahead of the server's when it last said so, in milliseconds; negative: behind. */
  clock_skew_ms: number | null;
  /** Since when that is wrong; null for a clock that is right. */
  clock_wrong_since: number | null;
  /** When it was last heard of before the connection that counts as its present contact began, and when that was. */
  contact_before: number | null;
  contact_since: number | null;
  last_backup_job_id: string | null;
  last_backup_at: number | null;
  last_backup_status: JobStatus | null;
  last_backup_warnings: number;
  last_backup_reason: string | null;
  last_backup_reason_code: string | null;
  last_success_at: number | null;
  /** The list of snapshots that is in force. */
  snapshots_report_id: string | null;
  snapshots_refreshed_at: number | null;
  snapshots_count: number | null;
  /** How many the list has beyond what is kept of it. */
  snapshots_cut: Generated<number>;
  created_at: Fixed<number>;
}

/** One row per start of an agent that used the host's identity, the newest thousand. */
export interface HostInstancesTable {
  host_id: Fixed<string>;
  /** SHA-256 of the id that the agent made at its start. */
  instance_hash: Fixed<Uint8Array>;
  /** Counts in its host from 1. */
  number: Fixed<number>;
  first_seen_at: Fixed<number>;
  last_seen_at: number;
  /** 0 or 1: another one took its place. */
  superseded: number;
  hostname: string;
  os: string;
  arch: string;
  agent_version: string;
  boot_time: number | null;
  address: string | null;
}

/** With a column of the same name for each of its settings (columns.ts). */
export interface SourceGroupsTable extends ColumnsOf<SourceGroupSettings> {
  id: Fixed<string>;
  host_id: Fixed<string>;
  pre_hook_sealed: Uint8Array | null;
  post_hook_sealed: Uint8Array | null;
  hook_timeout_seconds: Generated<number>;
  /** 0 or 1: its own hooks end at the first step that fails. */
  hook_stop_at_error: Generated<number>;
  /** The tag of its snapshots: from its name when it was made, never changed, never that of another group of its host. */
  snapshot_tag: Fixed<string>;
  /** SourceProblem[] of shared/protocol.ts as JSON: what a person said is right as it is. */
  accepted_sources: Generated<string>;
  /** The number of the job from which on runs say what is usual. */
  usual_since: Generated<number>;
  /** When its retention was last carried out. */
  forgotten_at: number | null;
  /** Which retention that was. */
  forgotten_retention: Generated<string | null>;
  created_at: Fixed<number>;
  updated_at: number;
}

/** Every tag that a source group of a host ever had. */
export interface UsedTagsTable {
  host_id: Fixed<string>;
  tag: Fixed<string>;
}

export interface EnrolmentTokensTable {
  id: Fixed<string>;
  token_hash: Fixed<Uint8Array>;
  host_name: Fixed<string>;
  tags: Fixed<string>;
  initial_paths: Fixed<string>;
  repository_id: Fixed<string>;
  created_by: Fixed<string>;
  /** The user of that name; null: the command line, or one who is gone. */
  created_by_id: Fixed<string | null>;
  depends_on_token: Fixed<string | null>;
  created_at: Fixed<number>;
  expires_at: number;
  used_at: number | null;
  /** The host that it made, or that took it. */
  host_id: string | null;
  /** The host that a reinstalled machine takes back by it; null: it makes a new one. */
  rejoins_host_id: Fixed<string | null>;
  /** 0 or 1: an admin named the host that it makes for the admin credential of its repository. */
  may_hold_admin_credential: Generated<number>;
}

export interface JobsTable {
  number: Generated<number>;
  id: Fixed<string>;
  host_id: Fixed<string>;
  repository_id: Fixed<string>;
  kind: Fixed<JobKind>;
  status: JobStatus;
  actor_kind: Fixed<ActorKind>;
  actor_id: Fixed<string | null>;
  actor_name: Fixed<string>;
  source_group_id: Fixed<string | null>;
  /** Kept when the group is gone. */
  source_group_name: Fixed<string | null>;
  schedule_id: Fixed<string | null>;
  scheduled_at: Fixed<number | null>;
  created_at: Fixed<number>;
  /** When the order went down a socket; null while it waits for a lease. */
  dispatched_at: number | null;
  /** The same by how long the server ran. */
  dispatched_ran: number | null;
  cancel_requested_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  restic_version: string | null;
  exit_code: number | null;
  reason: string | null;
  reason_code: string | null;
  warnings: number;
  /** The run's own input until it starts, the limits in force afterwards. */
  bandwidth_up_kib_per_s: number | null;
  bandwidth_down_kib_per_s: number | null;
  /** Summary of shared/job.ts as JSON. */
  summary: string | null;
  /** 1 for the first try of a scheduled run. */
  attempt: Generated<number>;
  catch_up: Generated<number>;
  /** What a maintenance job was asked beyond its kind: JobRequest of jobs/request.ts as JSON. */
  request: string | null;
  /** Forget: what each order came to, as JSON. */
  result: string | null;
  /** Backup: the snapshot that it made, as its agent says. */
  snapshot_id: string | null;
  /** The agent's start, held between the host's contact before (`window_from`) and the receipt. */
  began_at: number | null;
  /** started_at and finished_at as the host's clock said, when they are not the server's own. */
  said_started_at: number | null;
  said_finished_at: number | null;
  /** When the server received the end. */
  finished_received_at: number | null;
  /** By a clock that nobody sets; null where the agent did not tell. */
  duration_ms: number | null;
  window_from: number | null;
  /** The newest number in known_snapshots when its start was received: what was known before is not its work. */
  known_before: number | null;
  /** Backup: why its snapshot stays outside retention until a person says that it is right. */
  withheld: string | null;
  /** SourceProblem[] of shared/protocol.ts as JSON. */
  sources: string | null;
  accepted_at: number | null;
  accepted_by: string | null;
  /** When the server first knew of it, by its own clock. */
  received_at: number | null;
  /** How many of its lines are stored, and how many bytes their texts have. */
  lines_stored: Generated<number>;
  line_bytes: Generated<number>;
  /** The highest number of a line that was received, stored or cut. */
  lines_seen: Generated<number>;
  lines_cut: Generated<number>;
  /** How many lines in its log say that others were cut. */
  cut_marks: Generated<number>;
  /** When its lines were removed because of their age. */
  lines_removed_at: number | null;
  /** How long it has been queued while the server ran: a duration, whatever the clock said meanwhile. */
  waited_ms: Generated<number>;
}

export interface SchedulesTable {
  id: Fixed<string>;
  host_id: Fixed<string>;
  cron: string;
  enabled: number;
  created_at: Fixed<number>;
  updated_at: number;
}

export interface ScheduleGroupsTable {
  schedule_id: string;
  source_group_id: string;
  position: number;
}

export interface MaintenanceTable {
  repository_id: Fixed<string>;
  kind: Fixed<MaintenanceKind>;
  enabled: number;
  cron: string;
  /** Check: how much of the data one check reads. */
  read_data_percent: number | null;
  /** Check: which part of the data is next, so that all of it is read in time. */
  next_part: Generated<number>;
  /** Fire times up to here have been dealt with. */
  considered_at: number;
  last_job_id: string | null;
  last_at: number | null;
  last_status: JobStatus | null;
  last_reason: string | null;
  last_reason_code: string | null;
  last_success_at: number | null;
  /** The first failure since the last success. */
  failing_since: number | null;
}

/** The hosts of a repository to which its admin credential may be sent, as admins named them. */
export interface MaintenanceHostsTable {
  repository_id: Fixed<string>;
  host_id: Fixed<string>;
  named_by: string;
  named_at: number;
  /** Its bearer was made again since, or its identity is in doubt: until an admin names it again it gets nothing. */
  waits_since: number | null;
}

export interface RepositoryLocksTable {
  repository_id: string;
  id: string;
  at: number;
  exclusive: number;
  hostname: string;
  username: string | null;
  pid: number | null;
}

/** Snapshots that vanished from a host's list without a forget of ours. */
export interface SnapshotLossesTable {
  host_id: string;
  noticed_at: number;
  count: number;
  newest_time: number;
}

/** What the job of a restore writes: exact paths as JSON. */
export interface RestoreItemsTable {
  job_number: Fixed<number>;
  items: Fixed<string>;
}

/** A restore that its maker has not started yet. */
export interface RestoreDraftsTable {
  id: Fixed<string>;
  user_id: Fixed<string>;
  repository_id: Fixed<string>;
  snapshot_id: Fixed<string>;
  /** Exact paths as JSON. */
  items: string;
  /** See restores/drafts.ts. */
  choice: string;
  created_at: number;
  expires_at: number;
}

export interface JobLinesTable {
  job_number: number;
  line: number;
  at: number;
  /** Index into LINE_STREAMS. */
  stream: number;
  text: string;
}

/** The id that restic gave a repository when it was made, as hosts report it: see repositories/restic_id.ts. */
export interface RepositoryIdsTable {
  repository_id: Fixed<string>;
  /** Where each host has a place of its own under the address; null where all hosts reach the same one. */
  host_id: Fixed<string | null>;
  restic_id: string;
  first_seen_at: number;
  /** When a person last said which id is right. */
  answered_at: number | null;
  /** The one that was then said to be wrong. */
  rejected_id: string | null;
  /** Another id that a host reported, until a person has answered. */
  other_id: string | null;
  other_host_id: string | null;
  other_host_name: string | null;
  other_at: number | null;
}

export interface LeasesTable {
  /** A key of jobs/lease_keys.ts. */
  repository_url: string;
  job_id: Fixed<string>;
  /** The normalised address that the job was given the lease for. */
  address: string | null;
  acquired_at: Fixed<number>;
  /** To which boot of the machine and to which run of its agent the job was sent; null before it was. */
  boot_id: string | null;
  run: string | null;
}

export interface SnapshotsTable {
  host_id: string;
  report_id: string;
  id: string;
  time: number;
  tags: string;
  paths: string;
  hostname: string;
  username: string | null;
  parent: string | null;
  files: number | null;
  bytes: number | null;
  bytes_added: number | null;
}

/** Every snapshot that any list of a repository ever held, in the order of receipt. */
export interface KnownSnapshotsTable {
  number: Generated<number>;
  repository_id: Fixed<string>;
  snapshot_id: Fixed<string>;
  /** Whose list held it first. */
  host_id: Fixed<string>;
  seen_at: Fixed<number>;
}

/** The lists of snapshots that took effect, so that one that is repeated later changes nothing. */
export interface TakenListsTable {
  number: Generated<number>;
  host_id: Fixed<string>;
  report_id: Fixed<string>;
}

/** How many snapshots a schedule's own runs may still claim: one per fire time, counted by the server's clock. */
export interface ScheduleCreditsTable {
  schedule_id: Fixed<string>;
  source_group_id: Fixed<string>;
  credit: number;
  credited_until: number;
}

/** What retention is worked out from: which job made which snapshot, in facts that an endpoint cannot write. */
export interface SnapshotClaimsTable {
  number: Generated<number>;
  repository_id: Fixed<string>;
  snapshot_id: Fixed<string>;
  host_id: Fixed<string>;
  source_group_id: string | null;
  /** null: an admin adopted it. */
  job_id: Fixed<string | null>;
  /** The job's own time, held by the server; of an adopted one its own. */
  time: Fixed<number>;
  /** As the list has them. */
  hostname: string | null;
  tags: string | null;
  /** A list of its host holds it with the host's name and the group's tag. */
  confirmed: Generated<number>;
  withheld: Generated<number>;
  /** Made by a backup without warnings. */
  good: Generated<number>;
  /** The group's last forget kept it. */
  kept: Generated<number>;
  /** It is in the newest list. */
  listed: Generated<number>;
  adopted_by: Fixed<string | null>;
  /** The forget that was last ordered to remove it. */
  forget_job_id: string | null;
}

/** All snapshots in a repository, also of hosts that are not ours, as a maintenance job listed them. */
export interface RepositorySnapshotsTable {
  repository_id: string;
  report_id: string;
  id: string;
  time: number;
  tags: string;
  paths: string;
  hostname: string;
  files: number | null;
  bytes: number | null;
}

/** Snapshots that a person pinned: no forget of ours removes them. The facts are those of when it was pinned. */
export interface SnapshotPinsTable {
  repository_id: Fixed<string>;
  snapshot_id: Fixed<string>;
  pinned_by: string;
  pinned_at: number;
  reason: string;
  /** In whose list it was; null: in no host's. The host may be gone. */
  host_id: string | null;
  time: number;
  hostname: string;
  username: string | null;
  tags: string;
  paths: string;
  files: number | null;
  bytes: number | null;
  bytes_added: number | null;
}

/** What a forget was ordered to remove; of interest while it has not ended. */
export interface ForgetRemovalsTable {
  job_id: Fixed<string>;
  snapshot_id: Fixed<string>;
  repository_id: Fixed<string>;
}

/** Snapshots that no group governs and that someone decided to keep, by host name and tags. */
export interface UngovernedKeptTable {
  repository_id: Fixed<string>;
  hostname: Fixed<string>;
  tags: Fixed<string>;
  kept_by: string;
  kept_at: number;
}

/** One row per host and UTC day on which a backup ended: the strip of the last 30 days. */
export interface BackupDaysTable {
  host_id: string;
  /** Days since 1970. */
  day: number;
  succeeded: number;
  warned: number;
  failed: number;
}

/** What a host has taken of its quotas on a day (UTC, by the server's clock). */
export interface HostDaysTable {
  host_id: Fixed<string>;
  /** Days since 1970. */
  day: Fixed<number>;
  lines: Generated<number>;
  line_bytes: Generated<number>;
  /** Jobs that its own clock started. */
  jobs: Generated<number>;
  audit_rows: Generated<number>;
  /** Snapshots that its lists were the first to hold. */
  new_snapshots: Generated<number>;
}

/** What of a host was cut on a day and has been audited. */
export interface HostCutsTable {
  host_id: Fixed<string>;
  day: Fixed<number>;
  kind: Fixed<string>;
}

/** Hosts that are gone while their jobs, lines and snapshots are still being removed. */
export interface RemovedHostsTable {
  host_id: Fixed<string>;
  removed_at: Fixed<number>;
}

/** Up to which time of receipt the lines of jobs have been due for removal, by their outcome. */
export interface LineAgesTable {
  outcome: "succeeded" | "failed";
  removed_until: number;
}

export interface AuditTable {
  id: Generated<number>;
  at: Fixed<number>;
  actor_kind: Fixed<ActorKind>;
  actor_id: Fixed<string | null>;
  actor_name: Fixed<string>;
  action: Fixed<string>;
  target_kind: Fixed<string | null>;
  target_id: Fixed<string | null>;
  target_name: Fixed<string | null>;
  address: Fixed<string | null>;
  /** A JSON object without secrets. */
  detail: Fixed<string>;
  /** Its place in the chain: see audit/chain.ts. */
  mac: Uint8Array | null;
}

/** One row since the audit is a chain; none before. */
export interface AuditChainTable {
  begun_at: Fixed<number>;
}

/** A machine that announced itself and waits for a person's decision. Holds nothing that is secret. */
export interface PendingHostsTable {
  id: Fixed<string>;
  hostname: string;
  os: string;
  arch: string;
  agent_version: string;
  restic_version: string | null;
  /** Ed25519, 32 bytes. */
  public_key: Fixed<Uint8Array>;
  fingerprint: Fixed<string>;
  announced_from_ip: string;
  /** Where it came from, as the limits count it: an IPv4 address, or the /64 of an IPv6 one. */
  announced_from_network: string;
  first_seen_at: Fixed<number>;
  last_seen_at: number;
  /** When the machine last showed that it holds the key. Since then what it says of itself changes only with a proof. */
  proven_at: number | null;
  /** The server as the machine dialled it (shared/server_address.ts); null where it did not say. */
  dialled: string | null;
  /** 0 or 1: what goes between it and the server can be read on the way. */
  plain_http: Generated<number>;
  /** One more whenever what is in the row of the machine has changed. */
  revision: Generated<number>;
  expires_at: number;
}

/** Which announced key a host was accepted by: its agent receives the bearer when it next proves that key. */
export interface AcceptedKeysTable {
  /** Of the pending host that it was. */
  pending_id: Fixed<string>;
  host_id: Fixed<string>;
  public_key: Fixed<Uint8Array>;
  accepted_at: Fixed<number>;
}

/** A key that an admin rejected may not announce again until then. */
export interface RejectedKeysTable {
  /** Of the pending host that it was. */
  id: Fixed<string>;
  fingerprint: Fixed<string>;
  hostname: Fixed<string>;
  announced_from_ip: Fixed<string>;
  rejected_by: Fixed<string>;
  rejected_at: Fixed<number>;
  expires_at: Fixed<number>;
}

/** What the last run of the server left of its clocks (clock.ts); one row, none before the first start. */
export interface ClockTable {
  id: Fixed<number>;
  /** null in a copy of the database. */
  wall: number | null;
  uptime: number | null;
  /** How long the server ran, over all its runs (milliseconds). */
  ran: number;
  /** By how much the clock was set without moving what only grows old: too little by itself. */
  left_out: Generated<number>;
}

export interface Tables {
  users: UsersTable;
  sessions: SessionsTable;
  api_tokens: ApiTokensTable;
  setup_links: SetupLinksTable;
  known_networks: KnownNetworksTable;
  login_tries: LoginTriesTable;
  repositories: RepositoriesTable;
  hosts: HostsTable;
  host_instances: HostInstancesTable;
  source_groups: SourceGroupsTable;
  enrolment_tokens: EnrolmentTokensTable;
  jobs: JobsTable;
  job_lines: JobLinesTable;
  restore_items: RestoreItemsTable;
  restore_drafts: RestoreDraftsTable;
  leases: LeasesTable;
  repository_ids: RepositoryIdsTable;
  snapshots: SnapshotsTable;
  backup_days: BackupDaysTable;
  audit: AuditTable;
  audit_chain: AuditChainTable;
  schedules: SchedulesTable;
  schedule_groups: ScheduleGroupsTable;
  maintenance: MaintenanceTable;
  maintenance_hosts: MaintenanceHostsTable;
  repository_locks: RepositoryLocksTable;
  snapshot_losses: SnapshotLossesTable;
  pending_hosts: PendingHostsTable;
  accepted_keys: AcceptedKeysTable;
  rejected_keys: RejectedKeysTable;
  used_tags: UsedTagsTable;
  known_snapshots: KnownSnapshotsTable;
  taken_lists: TakenListsTable;
  schedule_credits: ScheduleCreditsTable;
  snapshot_claims: SnapshotClaimsTable;
  repository_snapshots: RepositorySnapshotsTable;
  snapshot_pins: SnapshotPinsTable;
  forget_removals: ForgetRemovalsTable;
  ungoverned_kept: UngovernedKeptTable;
  host_days: HostDaysTable;
  host_cuts: HostCutsTable;
  removed_hosts: RemovedHostsTable;
  line_ages: LineAgesTable;
  clock: ClockTable;
}
