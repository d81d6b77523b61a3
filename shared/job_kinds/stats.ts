// Tells how much the repository holds, and who holds a lock in it.
import type { JobKindTraits } from "./kind.ts";

export const stats = {
  writes: false,
  lease: "none",
  credential: "repository",
  usesRepository: true,
  listsWhole: true,
  isMaintenance: false,
  startedFrom: ["host", "repository"],
  input: {},
  order: {},
  result: {},
} as const satisfies JobKindTraits;
