// Saves the paths of a source group.
import { z } from "zod";
import {
  absolutePath,
  excludeIfPresent,
  excludePattern,
  fileSize,
  id,
  storedGroupName,
} from "../fields.ts";
import { Hooks } from "../hook_order.ts";
import type { JobKindTraits } from "./kind.ts";

/** What was found wrong with a path of a source group before it was backed up. */
export const SOURCE_PROBLEMS = [
  "missing",
  "link",
  "empty",
  "other_file_system",
  // Of all paths together (the path is then blank): the snapshot holds nothing.
  "nothing_saved",
] as const;

export type SourceProblemKind = typeof SOURCE_PROBLEMS[number];

export const SourceProblem = z.object({
  path: z.string().max(4096),
  problem: z.enum(SOURCE_PROBLEMS),
});

export type SourceProblem = z.infer<typeof SourceProblem>;

export const SourceGroupOrder = z.object({
  id,
  name: storedGroupName,
  /** restic --tag; stays when the group is renamed. Without it the name. */
  snapshot_tag: storedGroupName.optional(),
  includes: z.array(absolutePath).min(1),
  excludes: z.array(excludePattern),
  iexcludes: z.array(excludePattern).optional(),
  exclude_if_present: z.array(excludeIfPresent).optional(),
  exclude_larger_than: fileSize.optional(),
  exclude_caches: z.boolean().optional(),
  one_file_system: z.boolean().optional(),
  /** Windows: restic reads from a volume shadow copy. */
  use_fs_snapshot: z.boolean().optional(),
  /** What a person said is right as it is: no reason for a warning. */
  accepted: z.array(SourceProblem).max(1000).optional(),
  hooks: Hooks.optional(),
});

export type SourceGroupOrder = z.infer<typeof SourceGroupOrder>;

export const backup = {
  writes: true,
  lease: "shared",
  credential: "repository",
  usesRepository: true,
  listsWhole: false,
  isMaintenance: false,
  startedFrom: ["host"],
  input: {
    /** This group; without it every group of the host that has paths. */
    source_group_id: id.nullable().optional(),
    /** The groups of this schedule. */
    schedule_id: id.nullable().optional(),
  },
  order: {
    /** Absent when the group was removed since: the agent then says that it was not told what to back up. */
    source_group: SourceGroupOrder.optional(),
  },
  result: {
    /** What was found wrong with the paths of the group, accepted or not. */
    sources: z.array(SourceProblem).max(1000).optional(),
  },
} as const satisfies JobKindTraits;
