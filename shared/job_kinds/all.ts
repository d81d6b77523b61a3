// Every kind of job. A kind is four files of its name (here, in server/jobs/kinds, agent/kinds and templates/jobs/kinds) and a
// line in each of the four tables that join them; the compiler says which line is missing.
import { backup } from "./backup.ts";
import { check } from "./check.ts";
import { forget } from "./forget.ts";
import { hook } from "./hook.ts";
import { init } from "./init.ts";
import type { JobKindTraits } from "./kind.ts";
import { prune } from "./prune.ts";
import { restore } from "./restore.ts";
import { stats } from "./stats.ts";
import { unlock } from "./unlock.ts";

export const KINDS = {
  backup,
  init,
  unlock,
  stats,
  forget,
  prune,
  check,
  hook,
  restore,
} as const satisfies Record<string, JobKindTraits>;

export type JobKind = keyof typeof KINDS;
export const JOB_KINDS = Object.keys(KINDS) as [JobKind, ...JobKind[]];

type Trait<T, V> = {
  [K in JobKind]: T extends keyof typeof KINDS[K] ? typeof KINDS[K][T] extends V ? K : never
    : never;
}[JobKind];
export type MaintenanceKind = Trait<"isMaintenance", true>;
/** Kinds that are started from a host's page, or a repository's. */
export type HostKind = Trait<"startedFrom", readonly ["host", ...unknown[]]>;
export type RepositoryKind = Trait<"startedFrom", readonly [unknown, "repository"]>;

const kindsThat = (is: (traits: JobKindTraits) => boolean) =>
  JOB_KINDS.filter((kind) => is(KINDS[kind]));

export const HOST_KINDS = kindsThat((kind) => kind.startedFrom.includes("host")) as HostKind[];
/** What a repository needs from time to time; one at a time in the whole fleet, and not beside a backup of another host. */
export const MAINTENANCE_KINDS = kindsThat((kind) => kind.isMaintenance) as MaintenanceKind[];
/** What a repository needs from time to time comes first. */
export const REPOSITORY_KINDS = [
  ...MAINTENANCE_KINDS,
  ...kindsThat((kind) => !kind.isMaintenance && kind.startedFrom.includes("repository")),
] as RepositoryKind[];

/** Kinds that only read the repository run beside others; the rest of a host's jobs run one after another. */
export function writesRepository(kind: JobKind): boolean {
  return KINDS[kind].writes;
}

export function isMaintenance(kind: JobKind): kind is MaintenanceKind {
  return KINDS[kind].isMaintenance;
}

type Together<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void
  ? I
  : never;
type Part = "input" | "result";

/** The fields of all kinds in one shape: for what is read before it is known of which kind it is. */
export function fieldsOfAll<P extends Part>(part: P): Together<typeof KINDS[JobKind][P]> {
  return Object.assign({}, ...JOB_KINDS.map((kind) => KINDS[kind][part]));
}
