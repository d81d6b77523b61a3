// Caps as a real child process sees them, and as long as they make a real backup take.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ConfigUpdate } from "../../../shared/protocol.ts";
import { FakeRestic, LISTED, SNAPSHOT_ID, SUMMARY } from "../../support/fake_restic.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { testUnless } from "../../support/left_out.ts";
import { missingRestServer, startRestServer } from "../../support/rest_server.ts";
import { restics } from "../../support/restic.ts";
import { access, jobId, order, startAgent, testFolder } from "../../support/start_agent.ts";
import type { AnyOrder } from "../../support/any_order.ts";

const VERBS = {
  backup: SUMMARY,
  // What was forgotten is not in the next list.
  snapshots: `if [ -e "$0.gone" ]; then rm "$0.gone"; echo '[]'; else ${LISTED}; fi`,
  forget: `touch "$0.gone"`,
  stats: `echo '{"total_size":1}'`,
};

async function setUp(config: Partial<ConfigUpdate>, now?: { time: number }) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder, { verbs: VERBS });
  const repository = access(join(folder, "repository"));
  const server = stack.use(new FakeServer({ config: { repository, ...config } }));
  const { agent } = stack.use(
    await startAgent(server, {
      directory: folder,
      restic: restic.path,
      ...(now
        ? {
          clock: {
            now: () => now.time,
            elapsed: () => now.time,
            catchUpWithinMs: 0,
            lookMs: 60_000,
          },
        }
        : {}),
    }),
  );
  const orders: Record<string, Partial<AnyOrder>> = {
    backup: { source_group: order([folder]) },
    forget: {
      forget: [{
        source_group_id: null,
        tag: "documents",
        host: "alpha",
        retention: { keep_last: 1 },
        snapshots: [{ host: "alpha", tags: ["g"], keep: [], remove: [SNAPSHOT_ID] }],
      }],
    },
    prune: { admin_access: repository },
    check: {},
  };
  /** The limits on the command line of each start of this verb. */
  const limitsOf = async (kind: AnyOrder["kind"], more: Partial<AnyOrder> = {}) => {
    const job_id = jobId();
    const before = restic.starts.length;
    server.run({ job_id, kind, ...orders[kind], ...more });
    const end = await server.finished(job_id);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    const starts = restic.starts.slice(before).filter(({ args }) =>
      `${args} `.startsWith(`${kind} `)
    );
    assert.ok(starts.length > 0, `${kind} was not started`);
    const limits = starts.map(({ args }) =>
      [...args.matchAll(/--limit-\w+\S* ?\S*/g)].map(([text]) => text).join(" ")
    );
    return { limits: [...new Set(limits)], texts: server.texts(job_id), job_id };
  };
  return Object.assign(stack.move(), { server, agent, limitsOf, folder });
}

for (const kind of ["backup", "forget", "prune", "check"] as const) {
  for (
    const [what, limit, expected] of [
      ["none", null, ""],
      ["zero", 0, ""],
      ["negative", -5, ""],
      ["set", 512, "--limit-upload 512 --limit-download 512"],
    ] as const
  ) {
    Deno.test(`${kind} with a limit of ${what} is started with ${expected || "no limit"}`, async () => {
      await using all = await setUp({
        bandwidth_up_kib_per_s: limit,
        bandwidth_down_kib_per_s: limit,
      });
      const { limits } = await all.limitsOf(kind);
      assert.deepEqual(limits, [expected]);
    });
  }
}

Deno.test("a run's own limits win in their direction, and 0 lifts the host's", async () => {
  await using all = await setUp({ bandwidth_up_kib_per_s: 100, bandwidth_down_kib_per_s: 200 });
  const own = await all.limitsOf("backup", { bandwidth_up_kib_per_s: 50 });
  assert.deepEqual(own.limits, ["--limit-upload 50 --limit-download 200"]);
  assert.ok(own.texts.includes("Limited to 50 KiB/s up, 200 KiB/s down, for this run."));
  const lifted = await all.limitsOf("backup", { bandwidth_up_kib_per_s: 0 });
  assert.deepEqual(lifted.limits, ["--limit-download 200"]);
  const started = all.server.of("job.started").find(({ job_id }) => job_id === lifted.job_id);
  assert.deepEqual([started?.bandwidth_up_kib_per_s, started?.bandwidth_down_kib_per_s], [0, 200]);
});

Deno.test("the limits of the hour stand above the host's, and the log says which a job began with", async () => {
  const clock = { time: Date.parse("2026-11-23T08:59:00Z") };
  await using all = await setUp({
    bandwidth_up_kib_per_s: 2048,
    time_zone: "Europe/Berlin",
    bandwidth_windows: [
      {
        days: ["mon"],
        from: "10:00",
        to: "18:00",
        bandwidth_up_kib_per_s: 512,
        bandwidth_down_kib_per_s: null,
      },
    ],
  }, clock);
  const before = await all.limitsOf("backup");
  assert.deepEqual(before.limits, ["--limit-upload 2048"]);
  clock.time = Date.parse("2026-11-23T09:00:00Z");
  const within = await all.limitsOf("backup");
  assert.deepEqual(within.limits, ["--limit-upload 512"]);
  assert.ok(
    within.texts.includes("Limited to 512 KiB/s up (mon 10:00–18:00)."),
    within.texts.join("\n"),
  );
  assert.ok(!within.texts.some((text) => text.startsWith("This job began with")));
  // The backup itself takes the clock over the end of the window.
  const job_id = jobId();
  all.server.onMessage = (message) => {
    if (message.type === "log.stream" && message.job_id === job_id) {
      clock.time = Date.parse("2026-11-23T17:00:00Z");
      Deno.writeTextFileSync(join(all.folder, "go"), "");
    }
  };
  const wait = `while [ ! -e ${join(all.folder, "go")} ]; do sleep 0.02; done`;
  const hooks = { pre_hook: wait, timeout_seconds: 60 };
  all.server.run({ job_id, source_group: { ...order([all.folder]), hooks } });
  await all.server.finished(job_id);
  assert.ok(
    all.server.texts(job_id).includes(
      "This job began with 512 KiB/s up and kept it to its end; what begins now has 2048 KiB/s up.",
    ),
    all.server.texts(job_id).join("\n"),
  );
});

const MIB = 1_048_576;

for (const restic of restics) {
  testUnless(
    missingRestServer,
    `24 MiB of noise to a REST repository at 2,048 KiB/s take 12 s, within a quarter (restic ${restic.version})`,
    async () => {
      await using stack = new AsyncDisposableStack();
      const { path: folder } = stack.use(testFolder());
      const storage = stack.use(await startRestServer(join(folder, "storage")));
      const source = join(folder, "noise");
      Deno.mkdirSync(source);
      for (let n = 0; n < 24; n++) {
        const bytes = new Uint8Array(MIB);
        for (let at = 0; at < MIB; at += 65_536) {
          crypto.getRandomValues(bytes.subarray(at, at + 65_536));
        }
        Deno.writeFileSync(join(source, `${n}`), bytes);
      }
      const server = stack.use(
        new FakeServer({
          config: { repository: access(`${storage.url}capped/`), bandwidth_up_kib_per_s: 2048 },
        }),
      );
      stack.use(await startAgent(server, { directory: folder, restic: restic.path }));
      const run = async (more: Partial<AnyOrder>) => {
        const job_id = jobId();
        server.run({ job_id, ...more });
        const end = await server.finished(job_id, 60_000);
        assert.equal(end.status, "succeeded", end.reason ?? "");
        return end;
      };
      await run({ kind: "init", may_create: true });
      const { summary } = await run({ source_group: order([source]) });
      const expected = 24 * 1024 / 2048;
      const off = summary!.seconds / expected;
      assert.ok(off > 0.75 && off < 1.25, `took ${summary!.seconds} s instead of ${expected} s`);
    },
  );
}
