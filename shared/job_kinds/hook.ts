// Runs a hook by itself, to try it out.
import { z } from "zod";
import { storedGroupName } from "../fields.ts";
import { Hooks } from "../hook_order.ts";
import { HOOK_NAMES } from "../hooks.ts";
import type { JobKindTraits } from "./kind.ts";

export const hook = {
  writes: false,
  lease: "none",
  credential: "repository",
  usesRepository: false,
  listsWhole: false,
  isMaintenance: false,
  startedFrom: [],
  input: {},
  order: {
    hook: z.object({
      name: z.enum(HOOK_NAMES),
      hooks: Hooks,
      source_group_name: storedGroupName.nullable(),
    }),
  },
  result: {},
} as const satisfies JobKindTraits;
