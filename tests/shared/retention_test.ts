import assert from "node:assert/strict";
import { inWords, keepsEverything, Retention } from "../../shared/retention.ts";

Deno.test("a policy reads as a sentence", () => {
  assert.equal(inWords({}), "keeps everything");
  assert.equal(inWords({ keep_last: 7 }), "keeps the last 7");
  assert.equal(
    inWords({ keep_last: 7, keep_daily: 14, keep_weekly: 8 }),
    "keeps the last 7, then one a day for 14 days, one a week for 8 weeks",
  );
  assert.equal(inWords({ keep_hourly: 1 }), "keeps one an hour for 1 hour");
});

Deno.test("an empty policy is known as one, and zero is not a number to keep", () => {
  assert.ok(keepsEverything({}));
  assert.ok(keepsEverything(Retention.parse({})));
  assert.ok(!keepsEverything({ keep_last: 1 }));
  for (
    const bad of [
      { keep_last: 0 },
      { keep_last: -1 },
      { keep_last: 1.5 },
      { keep_last: "7" },
      { keep_within: "" },
      { keep_within: "7" },
      { keep_tag: "x" },
    ]
  ) {
    assert.ok(!Retention.safeParse(bad).success, JSON.stringify(bad));
  }
  assert.ok(Retention.safeParse({ keep_within: "1y6m" }).success);
});
