// A real agent with a clock that the test sets and a schedule, against a fake server.
import { join } from "node:path";
import type { AgentMessage, Origin, PlannedSchedule } from "../../shared/protocol.ts";
import { eventually } from "./eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "./fake_restic.ts";
import { FakeServer } from "./fake_server.ts";
import { access, startAgent, testFolder } from "./start_agent.ts";
import type { Hooks } from "../../shared/hook_order.ts";

export const SCHEDULE = "55555555-5555-4555-8555-555555555555";
export const GROUP = "66666666-6666-4666-8666-666666666666";
export const OTHER_GROUP = "77777777-7777-4777-8777-777777777777";
export const at = (text: string) => Date.parse(text);

export interface ClockedAgent {
  backup?: string;
  schedules?: Partial<PlannedSchedule>[];
  retry?: { retry_max: number; retry_backoff_seconds: number };
  hooks?: Hooks;
  now?: string;
}

export async function clockedAgent(setup: ClockedAgent = {}) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder, {
    verbs: { backup: setup.backup ?? SUMMARY, snapshots: LISTED },
  });
  const server = stack.use(
    new FakeServer({ config: { repository: access(join(folder, "repository")) } }),
  );
  const clock = { time: at(setup.now ?? "2026-11-22T12:00:00Z") };
  const plan = (schedules: Partial<PlannedSchedule>[], version: number) => ({
    type: "plan.set" as const,
    plan_version: version,
    schedules: schedules.map((schedule) => ({
      id: SCHEDULE,
      cron: "0 3 * * *",
      time_zone: "UTC",
      source_group_ids: [GROUP],
      ...schedule,
    })),
    source_groups: [GROUP, OTHER_GROUP].map((id, index) => ({
      id,
      name: index === 0 ? "documents" : "mail",
      includes: ["/etc"],
      excludes: [],
      retry_max: 0,
      retry_backoff_seconds: 60,
      ...setup.retry,
      ...(setup.hooks ? { hooks: setup.hooks } : {}),
    })),
  });
  const options = {
    directory: folder,
    restic: restic.path,
    clock: { now: () => clock.time, elapsed: () => clock.time, catchUpWithinMs: 0, lookMs: 20 },
  };
  const start = async () => (await startAgent(server, options)).agent;
  let agent = await start();
  stack.defer(() => agent.stop());
  const setPlan = async (schedules: Partial<PlannedSchedule>[], version: number) => {
    server.plan = plan(schedules, version);
    server.send(server.plan);
    await eventually("the plan is held", () => agent.plan.version === version);
  };
  await setPlan(setup.schedules ?? [{}], 2);
  type Finished = Extract<AgentMessage, { type: "job.finished" }>;
  const ends = () => {
    const byJob = new Map<string, Finished>();
    for (const end of server.of("job.finished")) byJob.set(end.job_id, end);
    return [...byJob.values()];
  };
  const untilEnds = async (count: number) =>
    await eventually(`${count} jobs end`, () => ends().length >= count && ends());
  /** The clock has looked at its time, and all that it started has ended. */
  const settled = async () => {
    agent.timers.look();
    await agent.queue.whenIdle();
  };
  const restart = async (whileAway: () => void | Promise<void> = () => {}) => {
    await agent.stop();
    await whileAway();
    agent = await start();
  };
  return Object.assign(stack.move(), {
    folder,
    restic,
    server,
    clock,
    setPlan,
    ends,
    untilEnds,
    settled,
    restart,
  });
}

/** Each job's start once: what was not acknowledged is told again after a reconnect. */
export function startsOf(server: FakeServer) {
  return [
    ...new Map(server.of("job.started").map((started) => [started.job_id, started])).values(),
  ];
}

export const originsOf = (ends: { origin?: Origin | undefined }[]) =>
  ends.map((end) => end.origin!);
