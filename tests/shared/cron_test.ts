import assert from "node:assert/strict";
import { cronInWords, lastRunBetween, nextRun, nextRuns, parseCron } from "../../shared/cron.ts";

const at = (text: string) => Date.parse(text);
const iso = (time: number | null) => time === null ? null : new Date(time).toISOString();

Deno.test("nextRun() finds the next fire time in the host's time zone", () => {
  const from = at("2026-11-22T12:00:00Z");
  assert.equal(iso(nextRun("0 3 * * *", from)), "2026-11-23T03:00:00.000Z");
  assert.equal(iso(nextRun("0 3 * * *", from, "Europe/Berlin")), "2026-11-23T02:00:00.000Z");
  assert.equal(iso(nextRun("*/15 * * * *", from)), "2026-11-22T12:15:00.000Z");
  assert.equal(iso(nextRun("0 4 * * 0", from)), "2026-11-29T04:00:00.000Z");
  assert.equal(iso(nextRun("@monthly", from)), "2026-12-01T00:00:00.000Z");
  assert.equal(nextRun("0 0 31 2 *", from), null);
});

Deno.test("both changes of the clock fire a nightly schedule exactly once", () => {
  for (
    const [zone, day, cron] of [
      ["Europe/Berlin", "2026-03-29", "30 2 * * *"],
      ["Europe/Berlin", "2026-10-25", "30 2 * * *"],
      ["America/New_York", "2026-03-08", "30 2 * * *"],
      ["America/New_York", "2026-11-01", "30 1 * * *"],
      ["Australia/Lord_Howe", "2026-04-05", "45 1 * * *"],
      ["Australia/Lord_Howe", "2026-10-04", "15 2 * * *"],
      ["Africa/Cairo", "2026-04-24", "30 0 * * *"],
      ["Asia/Kathmandu", "2026-05-01", "30 2 * * *"],
    ] as const
  ) {
    // From noon before to noon after, local time give or take.
    const from = at(`${day}T00:00:00Z`) - 30 * 3_600_000;
    const fires = nextRuns(cron, from, 6, zone);
    const local = (time: number) =>
      new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short" }).format(time);
    assert.equal(fires.filter((time) => local(time) === day).length, 1, `${zone} ${day}`);
  }
  assert.equal(
    iso(nextRun("30 2 * * *", at("2026-03-28T12:00:00Z"), "Europe/Berlin")),
    "2026-03-29T01:00:00.000Z",
  );
  assert.equal(
    iso(nextRun("30 2 * * *", at("2026-10-24T12:00:00Z"), "Europe/Berlin")),
    "2026-10-25T00:30:00.000Z",
  );
});

Deno.test("an hourly schedule stays hourly over both changes", () => {
  for (const day of ["2026-03-29", "2026-10-25"]) {
    const fires = nextRuns("0 * * * *", at(`${day}T00:00:00Z`) - 1, 5, "Europe/Berlin");
    assert.deepEqual(
      fires.slice(1).map((time, index) => time - fires[index]!),
      new Array(4).fill(3_600_000),
      day,
    );
  }
});

Deno.test("lastRunBetween() counts several misses as the last one, and the end as inside", () => {
  const cron = "0 3 * * *";
  assert.equal(
    iso(lastRunBetween(cron, at("2026-11-01T00:00:00Z"), at("2026-11-22T12:00:00Z"))),
    "2026-11-22T03:00:00.000Z",
  );
  assert.equal(lastRunBetween(cron, at("2026-11-22T03:00:00Z"), at("2026-11-22T12:00:00Z")), null);
  assert.equal(
    iso(lastRunBetween(cron, at("2026-11-22T02:59:59Z"), at("2026-11-22T03:00:00Z"))),
    "2026-11-22T03:00:00.000Z",
  );
  assert.equal(
    lastRunBetween(cron, at("2026-11-22T02:59:00Z"), at("2026-11-22T02:59:59.999Z")),
    null,
  );
  assert.equal(
    iso(lastRunBetween("* * * * *", at("2026-11-22T03:00:00Z"), at("2026-11-22T03:01:00.250Z"))),
    "2026-11-22T03:01:00.000Z",
  );
});

Deno.test("parseCron() refuses what never fires, what is not five fields, and says why in plain words", () => {
  assert.equal(parseCron("  0   3 * * * "), "0 3 * * *");
  assert.equal(parseCron("@Daily"), "@daily");
  for (
    const [text, why] of [
      ["", /five fields/],
      ["* * * * * *", /five fields/],
      ["0 0 0 1 1 * 2030", /five fields/],
      ["2026-11-22T03:00:00", /five fields/],
      ["@reboot", /five fields/],
      ["0 0 31 2 *", /never fire/],
      ["61 * * * *", /minute/],
      ["* 25 * * *", /hour/],
      ["*/0 * * * *", /./],
      ["a b c d e", /./],
      ["0 3 * * * ".repeat(100), /200 characters/],
    ] as const
  ) {
    assert.throws(
      () => parseCron(text),
      (error: Error) => error instanceof RangeError && why.test(error.message),
      text,
    );
  }
});

Deno.test("cronInWords() reads as people speak", () => {
  assert.equal(cronInWords("0 3 * * *"), "At 03:00");
  assert.match(cronInWords("0 4 * * 0"), /04:00.*Sunday/);
  assert.match(cronInWords("@daily"), /00:00|midnight/i);
});
