// An agent with a restic that writes down how it was started, for backups with hooks.
import { join } from "node:path";
import type { CommandRun, ConfigUpdate } from "../../shared/protocol.ts";
import { FakeRestic, LISTED, SUMMARY } from "./fake_restic.ts";
import { FakeServer } from "./fake_server.ts";
import { access, jobId, order, startAgent, testFolder } from "./start_agent.ts";
import type { Hooks } from "../../shared/hook_order.ts";

export const BACKUP = { backup: SUMMARY, snapshots: LISTED };

export interface HookedOptions {
  config?: Partial<ConfigUpdate>;
  /** Instead of the one that writes down how it was started. */
  restic?: string;
}

export async function hookedAgent(
  verbs: Record<string, string> = BACKUP,
  options: HookedOptions = {},
) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder, { verbs });
  const repository = access(join(folder, "repository"));
  const server = stack.use(new FakeServer({ config: { repository, ...options.config } }));
  const started = await startAgent(server, {
    directory: folder,
    restic: options.restic ?? restic.path,
    timeouts: { graceMs: 300 },
  });
  const { agent } = stack.use(started);
  const begin = (hooks: Partial<Hooks>, more: Partial<CommandRun> = {}) => {
    const job_id = jobId();
    const source_group = { ...order([folder]), hooks: { timeout_seconds: 60, ...hooks } };
    server.run({ job_id, source_group, ...more });
    return job_id;
  };
  const run = (hooks: Partial<Hooks>, more: Partial<CommandRun> = {}) =>
    server.finished(begin(hooks, more), 20_000);
  const backups = () => restic.starts.filter(({ args }) => args.startsWith("backup")).length;
  /** What the hooks of a job printed. */
  const printed = (job: string) =>
    server.texts(job).filter((text) => text.startsWith("hook: ")).map((text) => text.slice(6));
  return Object.assign(stack.move(), {
    folder,
    restic,
    server,
    agent,
    run,
    begin,
    backups,
    printed,
  });
}
