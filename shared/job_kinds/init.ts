// Opens the repository, or makes it where there is none and a person said that it is new.
import { z } from "zod";
import type { JobKindTraits } from "./kind.ts";

export const init = {
  writes: true,
  lease: "making",
  credential: "repository",
  usesRepository: true,
  listsWhole: false,
  isMaintenance: false,
  startedFrom: ["host"],
  input: {},
  order: {
    /** Whether a repository may be made where there is none. Sent at most once at a time per repository. */
    may_create: z.boolean().optional(),
    /** A person expects that the place was cleared by hand; one that is still there is an error, and stays. */
    reinit: z.boolean().optional(),
  },
  result: {
    /** Whether this job made the repository (false: it was there and opens). */
    created: z.boolean().optional(),
  },
} as const satisfies JobKindTraits;
