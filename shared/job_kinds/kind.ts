// What every part of the program must know of a kind of job.
import type { z } from "zod";

type Shape = Record<string, z.ZodType>;

export interface JobKindTraits {
  /** It writes to the repository: of such jobs a host runs one after another. Those that only read run beside others. */
  writes: boolean;
  /**
   * What it needs in its repository (server/jobs/lease.ts). `shared`: no other host is at something exclusive. `exclusive`: no
   * other host is at anything. `making`: nobody else is at something exclusive, or makes a repository there.
   */
  lease: "none" | "shared" | "making" | "exclusive";
  /** The credential that it is given where the repository has one of the kind. */
  credential: "repository" | "admin";
  /** It touches the repository at all. */
  usesRepository: boolean;
  /** It may hand in the list of all snapshots of its repository, not of its host alone. */
  listsWhole: boolean;
  /** What a repository needs from time to time; one at a time in the whole fleet. */
  isMaintenance: boolean;
  /** Where people start it; a kind with none has a route of its own. */
  startedFrom: readonly ("host" | "repository")[];
  /** Fields of the API's request that are this kind's alone; all are optional. */
  input: Shape;
  /** Fields of `command.run`. */
  order: Shape;
  /** Fields of `job.finished`; all are optional. */
  result: Shape;
}
