// A host that keeps its own clock while the server is away, with the real server, agent and restic.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { joinHost } from "../support/fake_agent.ts";
import { createLog } from "../../shared/log.ts";
import { anyRestic } from "../support/restic.ts";
import { freePort } from "../support/programs.ts";
import { fault } from "../support/trial.ts";
import { realRepository, sevenOracles } from "../support/oracles.ts";
import { startServer } from "../support/start_server.ts";
import { openAgent } from "../../agent/open.ts";

fault({
  id: "F48",
  promise: "a host keeps its own clock while the server is away",
  done: "the server is stopped over four fire times of a schedule",
  expected: "every scheduled run happens and is told once, with its lines, summary and snapshots",
}, async (see) => {
  const folder = await Deno.makeTempDir({ prefix: "rm-clock-" });
  const dataDir = join(folder, "server");
  const port = freePort();
  const source = join(folder, "source");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "file"), "content");
  const first = await startServer({ dataDir, port });
  const host = await joinHost(first, "alpha", { url: join(folder, "repository"), is_new: true }, [
    source,
  ]);
  const clock = { time: Date.UTC(2026, 10, 22, 12) };
  const logged: string[] = [];
  const agent = openAgent({
    settings: {
      configDir: join(folder, "config"),
      stateDir: join(folder, "state"),
      server: first.url,
      hostId: host.hostId,
      bearer: host.bearer,
      token: undefined,
      certificateAuthority: undefined,
      restic: anyRestic()!.path,
      logLevel: "debug",
      logFormat: "text",
    },
    log: createLog("debug", (line) => logged.push(line)),
    pace: { firstRetryMs: 20, slowestRetryMs: 200 },
    clock: { now: () => clock.time, elapsed: () => clock.time, catchUpWithinMs: 0, lookMs: 20 },
  });
  try {
    const ready = async () =>
      (await first.api("victor", "GET", `/api/hosts/${host.hostId}`)).body.repository_state ===
        "ready";
    await eventually("the repository is ready", ready);
    const [group] =
      (await first.api("olive", "GET", `/api/hosts/${host.hostId}/source-groups`)).body.items;
    await first.api("olive", "POST", `/api/hosts/${host.hostId}/schedules`, {
      cron: "0 * * * *",
      source_group_ids: [group.id],
    });
    await eventually("the plan is held", () => (agent.plan.schedule?.schedules.length ?? 0) === 1);
    await first.stop();
    for (let hour = 13; hour <= 16; hour++) {
      clock.time = Date.UTC(2026, 10, 22, hour);
      agent.timers.look();
      await agent.queue.whenIdle();
    }
    const again = await startServer({ dataDir, port, people: false });
    try {
      Object.assign(again.tokens, first.tokens);
      const jobs = await eventually("all four are told", async () => {
        const { items } = (await again.api("victor", "GET", "/api/jobs?kind=backup")).body;
        return items.length === 4 && items.every((job: { finished_at: string | null }) =>
          job.finished_at !== null
        ) && items;
      });
      assert.deepEqual(
        jobs.map((job: { scheduled_at: string }) => new Date(job.scheduled_at).getUTCHours())
          .sort(),
        [13, 14, 15, 16],
      );
      for (const job of jobs) {
        assert.deepEqual([job.status, job.actor.kind], ["succeeded", "schedule"], job.reason);
        const text = (await again.api("victor", "GET", `/api/jobs/${job.id}/log.txt`))
          .body as string;
        assert.ok(text.includes(`snapshot ${job.summary.snapshot_id.slice(0, 8)}`));
      }
      const snapshots =
        (await again.api("victor", "GET", `/api/hosts/${host.hostId}/snapshots`)).body.items;
      assert.deepEqual(
        snapshots.map((snapshot: { id: string }) => snapshot.id).sort(),
        jobs.map((job: { summary: { snapshot_id: string } }) => job.summary.snapshot_id).sort(),
      );
      see(`${jobs.length} runs, told once each`);
      const repository = realRepository(
        anyRestic()!,
        join(folder, "repository"),
        "a repository password",
      );
      await sevenOracles({ dataDir, repositories: [repository] }, see);
    } finally {
      await again.stop();
    }
  } finally {
    await agent.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
