// Removes locks: those of dead processes, or all that an admin has seen.
import { z } from "zod";
import { lockId } from "../restic_id.ts";
import type { JobKindTraits } from "./kind.ts";

const HOLDER = "must be the name of the machine that holds the lock";

export const unlock = {
  writes: true,
  lease: "shared",
  credential: "repository",
  usesRepository: true,
  listsWhole: false,
  isMaintenance: false,
  startedFrom: ["host", "repository"],
  input: {
    /** Every lock, not only those of dead processes. Admins, with confirm_hostname. */
    remove_all: z.boolean("must be true or false").optional(),
    /** With remove_all: the name of the machine that holds the lock. */
    confirm_hostname: z.string(HOLDER).max(255, HOLDER).optional(),
  },
  order: {
    /**
     * Remove every lock, also those of processes that may live. An admin has seen these and typed the name of the machine
     * that holds them; the agent refuses when another lock is there.
     */
    remove_all: z.object({
      hostname: z.string().min(1).max(255),
      locks: z.array(lockId).min(1).max(100),
    }).optional(),
  },
  result: {},
} as const satisfies JobKindTraits;
