// Looks for damage: the structure, and a part of the data.
import { z } from "zod";
import type { JobKindTraits } from "./kind.ts";

export const check = {
  writes: true,
  lease: "exclusive",
  credential: "repository",
  usesRepository: true,
  listsWhole: true,
  isMaintenance: true,
  startedFrom: ["host", "repository"],
  input: {},
  order: {
    /** Read this part of the data, so that all of it has been read after `parts` checks. */
    read_data: z.object({ part: z.int().min(1), parts: z.int().min(1).max(1000) }).optional(),
  },
  result: {},
} as const satisfies JobKindTraits;
