import assert from "node:assert/strict";
import {
  apiWindow,
  BandwidthWindow,
  hostLimitsAt,
  limitArguments,
  limitsInForce,
  type LimitWindow,
} from "../../shared/bandwidth.ts";

Deno.test("limits become arguments only when they are above zero", () => {
  assert.deepEqual(
    limitArguments({ bandwidth_up_kib_per_s: null, bandwidth_down_kib_per_s: null }),
    [],
  );
  assert.deepEqual(limitArguments({ bandwidth_up_kib_per_s: 0, bandwidth_down_kib_per_s: -5 }), []);
  assert.deepEqual(
    limitArguments({ bandwidth_up_kib_per_s: 512, bandwidth_down_kib_per_s: 1024 }),
    [
      "--limit-upload",
      "512",
      "--limit-download",
      "1024",
    ],
  );
});

Deno.test("a run's own number wins in its direction, 0 lifts, absent keeps the host's", () => {
  const host = { bandwidth_up_kib_per_s: 100, bandwidth_down_kib_per_s: 200 };
  assert.deepEqual(limitsInForce(host, {}), host);
  assert.deepEqual(limitsInForce(host, { bandwidth_up_kib_per_s: null }), host);
  assert.deepEqual(limitsInForce(host, { bandwidth_up_kib_per_s: 0 }), {
    bandwidth_up_kib_per_s: 0,
    bandwidth_down_kib_per_s: 200,
  });
  assert.deepEqual(limitsInForce(host, { bandwidth_down_kib_per_s: 5 }), {
    bandwidth_up_kib_per_s: 100,
    bandwidth_down_kib_per_s: 5,
  });
});

const window = (given: Partial<LimitWindow>): LimitWindow => ({
  days: ["mon"],
  from: "08:00",
  to: "18:00",
  bandwidth_up_kib_per_s: 1,
  bandwidth_down_kib_per_s: null,
  ...given,
});
const upAt = (windows: LimitWindow[], at: string, time_zone = "UTC") =>
  hostLimitsAt(
    {
      bandwidth_up_kib_per_s: 9,
      bandwidth_down_kib_per_s: 9,
      bandwidth_windows: windows,
      time_zone,
    },
    Date.parse(at),
  ).limits.bandwidth_up_kib_per_s;

// 2026-11-23 is a Monday.
Deno.test("a window holds from its beginning to before its end, on its days, in the host's time zone", () => {
  const day = [window({})];
  assert.equal(upAt(day, "2026-11-23T07:59:59Z"), 9);
  assert.equal(upAt(day, "2026-11-23T08:00:00Z"), 1);
  assert.equal(upAt(day, "2026-11-23T17:59:59Z"), 1);
  assert.equal(upAt(day, "2026-11-23T18:00:00Z"), 9);
  assert.equal(upAt(day, "2026-11-24T12:00:00Z"), 9);
  assert.equal(upAt(day, "2026-11-23T07:00:00Z", "Europe/Berlin"), 1);
  assert.equal(upAt(day, "2026-11-23T23:00:00Z", "America/Los_Angeles"), 1);
});

Deno.test("a window over midnight belongs to the day on which it begins; a whole day ends at 24:00", () => {
  const night = [window({ from: "22:00", to: "06:00" })];
  assert.equal(upAt(night, "2026-11-23T05:00:00Z"), 9);
  assert.equal(upAt(night, "2026-11-23T23:00:00Z"), 1);
  assert.equal(upAt(night, "2026-11-24T05:59:00Z"), 1);
  assert.equal(upAt(night, "2026-11-24T06:00:00Z"), 9);
  const whole = [window({ from: "00:00", to: "24:00" })];
  assert.equal(upAt(whole, "2026-11-23T23:59:59Z"), 1);
  assert.equal(upAt(whole, "2026-11-24T00:00:00Z"), 9);
});

Deno.test("of windows that overlap the first holds, and its blank lifts the base limit", () => {
  const both = [window({ from: "12:00", to: "13:00", bandwidth_up_kib_per_s: null }), window({})];
  assert.equal(upAt(both, "2026-11-23T12:30:00Z"), null);
  assert.equal(upAt(both, "2026-11-23T13:30:00Z"), 1);
});

Deno.test("a window without days, with an impossible time or of no length is refused", () => {
  for (
    const wrong of [{ days: [] }, { from: "24:00" }, { to: "8:00" }, { to: "08:00" }, {
      bandwidth_up_kbps: -1,
    }]
  ) {
    assert.equal(
      BandwidthWindow.safeParse({ ...apiWindow(window({})), ...wrong }).success,
      false,
      JSON.stringify(wrong),
    );
  }
});
