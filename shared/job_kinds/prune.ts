// Removes data that no snapshot needs any more.
import { RepositoryAccess } from "../repository_access.ts";
import type { JobKindTraits } from "./kind.ts";

export const prune = {
  writes: true,
  lease: "exclusive",
  credential: "admin",
  usesRepository: true,
  listsWhole: true,
  isMaintenance: true,
  startedFrom: ["host", "repository"],
  input: {},
  order: {
    /** The credential that may delete. It lives in the agent's memory for this job and is never written to its disk. */
    admin_access: RepositoryAccess.optional(),
  },
  result: {},
} as const satisfies JobKindTraits;
