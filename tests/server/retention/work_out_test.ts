// The working-out of a policy, and the real restics beside it.
import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { decide } from "../../../server/retention/decide.ts";
import type { OwnSnapshot } from "../../../server/retention/own.ts";
import { workOut } from "../../../server/retention/work_out.ts";
import type { Retention } from "../../../shared/retention.ts";
import { type RealRestic, restics } from "../../support/restic.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T = Date.UTC(2026, 9, 14, 3);

const dated = (...times: number[]) =>
  times.sort((a, b) => b - a).map((time, n) => ({ id: String(n), time }));
const keptTimes = (times: number[], policy: Retention, zone = "UTC") =>
  workOut(dated(...times), policy, zone).keep.map(({ snapshot }) => snapshot.time);

Deno.test("workOut() keeps the newest of each day, week and month, and the oldest while a rule has some left", () => {
  const nights = Array.from({ length: 30 }, (_, n) => T - n * DAY);
  assert.equal(keptTimes(nights, { keep_daily: 7 }).length, 7);
  assert.deepEqual(keptTimes([T, T - HOUR, T - DAY], { keep_daily: 2 }), [T, T - DAY]);
  assert.deepEqual(keptTimes([T, T - HOUR], { keep_daily: 7 }), [T, T - HOUR]);
  assert.deepEqual(keptTimes(nights, { keep_last: 1 }), [T]);
});

Deno.test("workOut() counts days in the host's time zone", () => {
  // 23:30 and 00:30 of Berlin's winter are one day in UTC and two in Berlin.
  const [late, early] = [Date.UTC(2026, 0, 14, 22, 30), Date.UTC(2026, 0, 14, 23, 30)];
  const before = Date.UTC(2026, 0, 1);
  assert.deepEqual(keptTimes([early, late, before], { keep_daily: 2 }, "UTC").length, 2);
  assert.ok(keptTimes([early, late, before], { keep_daily: 2 }, "Europe/Berlin").includes(late));
});

Deno.test("workOut() takes a duration back from the newest, over months of other lengths", () => {
  const newest = Date.UTC(2026, 2, 31, 12);
  const inside = Date.UTC(2026, 2, 4);
  const outside = Date.UTC(2026, 2, 3);
  assert.deepEqual(keptTimes([newest, inside, outside], { keep_within: "1m" }), [newest, inside]);
  assert.equal(keptTimes([newest, 0], { keep_within: "1950y" }).length, 2);
});

const policies: fc.Arbitrary<Retention> = fc.record({
  keep_last: fc.integer({ min: 1, max: 6 }),
  keep_hourly: fc.integer({ min: 1, max: 30 }),
  keep_daily: fc.integer({ min: 1, max: 9 }),
  keep_weekly: fc.integer({ min: 1, max: 6 }),
  keep_monthly: fc.integer({ min: 1, max: 6 }),
  keep_yearly: fc.integer({ min: 1, max: 4 }),
  keep_within: fc.constantFrom("1d", "12h", "3d6h", "2m", "1y", "1y6m10d"),
}, { requiredKeys: [] }).filter((policy) => Object.keys(policy).length > 0);

const own = (n: number, time: number, more: Partial<OwnSnapshot> = {}): OwnSnapshot => ({
  number: n,
  id: n.toString(16).padStart(64, "0"),
  time,
  hostname: "alpha",
  tags: '["default"]',
  isGood: true,
  wasKept: false,
  isAdopted: false,
  isPinned: false,
  ...more,
});
const newestFirst = (snapshots: OwnSnapshot[]) =>
  [...snapshots].sort((a, b) => b.time - a.time || b.number - a.number);

const of = (retention: Retention, last: Retention | null = retention) => ({
  retention,
  last,
  timeZone: "UTC",
});

Deno.test("decide() keeps what it would keep without those that are gone, contested or adopted", () => {
  const times = fc.array(fc.integer({ min: T - 400 * DAY, max: T }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(times, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), policies, (
      all,
      marks,
      policy,
    ) => {
      const whole = newestFirst(all.map((time, n) => own(n, time)));
      const kept = new Set(decide(whole, of(policy)).keep.map(({ snapshot }) => snapshot.id));
      // Without some of them every other one that was kept is kept.
      const fewer = whole.filter(({ number }) => marks[number]);
      const left = decide(fewer, of(policy)).keep.map(({ snapshot }) => snapshot.id);
      for (const { id } of fewer) if (kept.has(id)) assert.ok(left.includes(id));
      // Adopted ones, whatever times they carry, take the place of none that a job made.
      const adopted = marks.map((_, n) =>
        own(1000 + n, T - (n % 7) * DAY + n, { isAdopted: true })
      );
      const mixed = decide(newestFirst([...whole, ...adopted]), of(policy)).keep;
      const ids = new Set(mixed.map(({ snapshot }) => snapshot.id));
      for (const id of kept) assert.ok(ids.has(id));
    }),
    { numRuns: 300 },
  );
});

Deno.test("decide() asks before more than half of what was kept goes, or the newest good one, and not for what is new", () => {
  const nights = (more: Partial<OwnSnapshot>, count = 7) =>
    Array.from({ length: count }, (_, n) => own(n, T - (n + 1) * DAY, more));
  const hours = Array.from({ length: 24 }, (_, n) => own(100 + n, T - n * HOUR / 2));
  const nightly = decide(
    newestFirst([...nights({ wasKept: true }), ...hours]),
    of({ keep_daily: 7 }),
  );
  assert.equal(nightly.held, null);
  assert.ok(nightly.remove.length > 20);
  const typo = decide(newestFirst(nights({ wasKept: true })), of({ keep_last: 3 }));
  assert.match(typo.held ?? "", /4 of the 7 snapshots/);
  assert.equal(decide(newestFirst(nights({ wasKept: true })), of({ keep_last: 4 })).held, null);
  const incomplete = [own(50, T, { isGood: false }), own(51, T - HOUR, { isGood: false })];
  const bad = decide(newestFirst([...incomplete, ...nights({}, 2)]), of({ keep_last: 2 }));
  assert.match(bad.held ?? "", /without warnings/);
});

Deno.test("decide() asks for no ordinary night, whatever the policy and the rhythm, and for each harsher policy", () => {
  const ordinary: [Retention, number, number][] = [
    [{ keep_hourly: 24, keep_daily: 7 }, 1, 24],
    [{ keep_hourly: 24 }, 1, 24],
    [{ keep_last: 10 }, 1, 24],
    [{ keep_last: 1 }, 24, 24],
    [{ keep_within: "1d" }, 6, 24],
    [{ keep_daily: 7 }, 24, 24 * 7],
    [{ keep_daily: 7 }, 1, 24],
    [{ keep_within: "2d", keep_weekly: 4 }, 1, 24],
  ];
  for (const [policy, everyHours, forgetHours] of ordinary) {
    let there: OwnSnapshot[] = [];
    for (let hour = 0, number = 0; hour < 24 * 60; hour++) {
      if (hour % everyHours === 0) there = [own(++number, T + hour * HOUR), ...there];
      if ((hour + 1) % forgetHours !== 0) continue;
      const { held, remove } = decide(there, of(policy));
      assert.equal(held, null, `${JSON.stringify(policy)}, hour ${hour}`);
      there = there.filter((each) => !remove.includes(each))
        .map((each) => ({ ...each, wasKept: true }));
    }
    const kept = there.length;
    const news = [1, 2, 3].map((n) => own(9000 + n, T + 24 * 60 * HOUR + n));
    const harsher = [{ keep_last: 1 }, { keep_hourly: 1 }, { keep_within: "1h" }];
    for (const next of kept > 8 ? harsher : []) {
      const { held } = decide(newestFirst([...news, ...there]), of(next, policy));
      assert.match(held ?? "", / of the /, JSON.stringify([policy, next]));
    }
  }
  // As many as before are left, but of another kind: the old days go.
  const days = Array.from({ length: 30 }, (_, n) => own(n, T - n * DAY, { wasKept: true }));
  const hours = Array.from({ length: 40 }, (_, n) => own(100 + n, T + n * HOUR));
  const all = newestFirst([...days, ...hours]);
  assert.match(decide(all, of({ keep_last: 30 }, { keep_daily: 30 })).held ?? "", /30 of the 30/);
  assert.equal(decide(all, of({ keep_daily: 40 }, { keep_daily: 30 })).held, null);
  // A host that was away for a quarter of a year.
  const back = [own(500, T + 90 * DAY), ...newestFirst(days)];
  assert.match(decide(back, of({ keep_within: "30d" })).held ?? "", /30 of the 30/);
});

/** What restic itself would do, of a random history of real snapshots. */
interface Listed {
  id: string;
  time: string;
  tags: string[];
}

async function restic(program: RealRestic, repository: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program.path, {
    args,
    env: { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "x", TZ: "UTC" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Bursts within hours, days, months and years; each snapshot is in some of the histories, by its tags. */
async function makeHistories(program: RealRestic, folder: string, histories: string[]) {
  const repository = join(folder, "repository");
  await Deno.mkdir(join(folder, "source"));
  await Deno.writeTextFile(join(folder, "source", "file"), "content");
  await restic(program, repository, ["init"]);
  const spans = [HOUR, DAY, 7 * DAY, 60 * DAY, 400 * DAY, 3 * 365 * DAY];
  const times = fc.sample(
    fc.tuple(fc.constantFrom(...spans), fc.double({ min: 0, max: 1, noNaN: true })),
    { numRuns: 44, seed: 20261126 },
    // No two at one moment: which of them is the newer is chance to restic.
  ).map(([span, share], n) => T - Math.floor(span * share / 60_000) * 60_000 - n * 1000);
  for (const [n, time] of times.entries()) {
    const tags = histories.filter((_, h) => n % (h + 2) !== 0 || h === 0);
    const at = new Date(time).toISOString().slice(0, 19).replace("T", " ");
    await restic(program, repository, [
      "backup",
      "-q",
      "--host=alpha",
      `--time=${at}`,
      ...tags.map((tag) => `--tag=${tag}`),
      join(folder, "source"),
    ]);
  }
  return repository;
}

Deno.test("workOut() keeps exactly what restic 0.18 keeps, and all that 0.14 keeps", async (step) => {
  assert.equal(restics.length, 2, "this needs restic 0.14 and 0.18");
  const folder = await Deno.makeTempDir({ prefix: "rm-policy-" });
  try {
    const histories = ["h0", "h1", "h2"];
    const old = restics.find(({ version }) => version.startsWith("0.14"))!;
    const repository = await makeHistories(old, folder, histories);
    const listed: Listed[] = JSON.parse(await restic(old, repository, ["snapshots", "--json"]));
    const samples = fc.sample(fc.tuple(policies, fc.constantFrom(...histories)), {
      numRuns: 16,
      seed: 7,
    });
    for (const program of restics) {
      await step.step(`restic ${program.version}`, async () => {
        for (const [policy, history] of samples) {
          const theirs = await kept(program, repository, policy, history);
          const mine = workOut(
            listed.filter(({ tags }) => tags.includes(history))
              .map(({ id, time }) => ({ id, time: Date.parse(time) }))
              .sort((a, b) => b.time - a.time),
            policy,
            "UTC",
          ).keep.map(({ snapshot }) => snapshot.id);
          const told = `${history} ${JSON.stringify(policy)}`;
          if (program === old) {
            // It does not keep the oldest of a history that is shorter than the policy.
            for (const id of theirs) assert.ok(mine.includes(id), told);
            assert.ok(mine.length - theirs.length <= 1, told);
          } else assert.deepEqual([...mine].sort(), [...theirs].sort(), told);
        }
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function kept(
  program: RealRestic,
  repository: string,
  policy: Retention,
  history: string,
): Promise<string[]> {
  const flags = Object.entries(policy).map(([name, value]) =>
    `--${name.replaceAll("_", "-")}=${value}`
  );
  const text = await restic(program, repository, [
    "forget",
    "--dry-run",
    "--json",
    `--tag=${history}`,
    "--group-by=host",
    ...flags,
  ]);
  const groups: { keep: { id: string }[] | null }[] = JSON.parse(text.slice(text.indexOf("[")));
  return groups.flatMap((group) => group.keep ?? []).map(({ id }) => id);
}

Deno.test("decide() keeps pinned ones on top of what it keeps anyway, as restic's --keep-tag: they take and make no room", () => {
  fc.assert(fc.property(policies, fc.array(fc.boolean(), { maxLength: 40 }), (policy, pins) => {
    const plain = newestFirst(pins.map((_, n) => own(n, T - n * 7 * HOUR)));
    const some = plain.map((each) => ({ ...each, isPinned: pins[each.number]! }));
    const without = decide(plain, of(policy));
    const { keep, remove } = decide(some, of(policy));
    const kept = new Map(keep.map(({ snapshot, reasons }) => [snapshot.id, reasons]));
    const before = new Map(without.keep.map(({ snapshot, reasons }) => [snapshot.id, reasons]));
    for (const { id, isPinned } of some) {
      const reasons = [...before.get(id) ?? [], ...(isPinned ? ["pinned"] : [])];
      assert.deepEqual(kept.get(id) ?? [], reasons);
    }
    assert.equal(keep.length + remove.length, some.length);
  }));
});
