import assert from "node:assert/strict";
import { readSettings, SettingsError } from "../../../server/settings.ts";

const read = (env: Record<string, string>) => readSettings((name) => env[name]).quotas;

Deno.test("quotas have the defaults that the guide names, and take counts and bytes", () => {
  assert.deepEqual(read({}), {
    linesPerJob: 200_000,
    lineBytesPerJob: 50_000_000,
    linesPerDay: 2_000_000,
    lineBytesPerDay: 500_000_000,
    jobsPerDay: 5000,
    auditRowsPerDay: 1000,
    snapshots: 20_000,
    handshakesPerMinute: 30,
    diskReserve: 256 * 1_048_576,
    keepLinesDays: 90,
    keepLinesOfFailedDays: 365,
  });
  assert.equal(read({ RM_LINE_BYTES_PER_JOB: "1 GiB" }).lineBytesPerJob, 2 ** 30);
  assert.equal(read({ RM_DISK_RESERVE: "0" }).diskReserve, 0);
});

Deno.test("a quota that is none is refused with the variable, the value and what is accepted", () => {
  for (
    const [name, value] of [
      ["RM_LINES_PER_JOB", "0"],
      ["RM_LINES_PER_JOB", "-1"],
      ["RM_JOBS_PER_HOST_DAY", "many"],
      ["RM_HANDSHAKES_PER_MINUTE", "1.5"],
      ["RM_LINE_BYTES_PER_JOB", "50 mb"],
      ["RM_DISK_RESERVE", "1TiB"],
      ["RM_LINE_BYTES_PER_HOST_DAY", "999999999999999GB"],
      ["RM_LINE_BYTES_PER_JOB", "0"],
    ] as const
  ) {
    assert.throws(() => read({ [name]: value }), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, new RegExp(`^${name} is "${value}", but must be `));
      return true;
    }, `${name}=${value}`);
  }
});
