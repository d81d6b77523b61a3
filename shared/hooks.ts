// Commands that run on a host before and after a backup, with all the rights of the agent.

export const HOOK_NAMES = ["pre_hook", "post_hook"] as const;
export type HookName = typeof HOOK_NAMES[number];

export const DEFAULT_HOOK_TIMEOUT_SECONDS = 3600;
