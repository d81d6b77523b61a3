// The hooks of a host for those of its source groups that have none of their own.
import { z } from "zod";

export const DefaultHooks = z.object({
  pre_hook_default: z.string().nullable(),
  post_hook_default: z.string().nullable(),
  hook_stop_at_error_default: z.boolean(),
  /** Those that are stored and do not open any more. */
  cannot_decrypt: z.array(z.string()),
});
export type DefaultHooks = z.infer<typeof DefaultHooks>;
