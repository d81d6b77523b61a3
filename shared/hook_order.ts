// The hooks of a job, as its order carries them.
import { z } from "zod";
import { hookText, hookTimeout } from "./fields.ts";
import { HOOK_NAMES } from "./hooks.ts";

/** The hooks in force for a source group: its own, or the host's default ones. */
export const Hooks = z.object({
  pre_hook: hookText.optional(),
  post_hook: hookText.optional(),
  timeout_seconds: hookTimeout,
  /** Those that end at the first step that fails. */
  stop_at_error: z.array(z.enum(HOOK_NAMES)).optional(),
  /** One that the server holds and cannot unseal: a backup that needs it must not pretend. */
  cannot_decrypt: z.enum(HOOK_NAMES).optional(),
});

export type Hooks = z.infer<typeof Hooks>;
