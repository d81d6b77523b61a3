import { testHook } from "./hooks.ts";
import type { AgentKind } from "./kind.ts";

export const hook: AgentKind<"hook"> = {
  async runAlone(agent, { hook }, job) {
    const { name, hooks, source_group_name } = hook;
    return await testHook(agent, { ...job, hooks, groupName: source_group_name ?? "" }, name);
  },
};
