import assert from "node:assert/strict";
import { join } from "node:path";
import { createLog } from "../../shared/log.ts";
import { StateFolder } from "../../agent/state/folder.ts";
import { Plan } from "../../agent/plan.ts";
import type { ConfigUpdate } from "../../shared/protocol.ts";
import { access, testFolder } from "../support/start_agent.ts";

const silent = createLog("error", () => {});
const config: ConfigUpdate = {
  type: "config.update",
  snapshot_host: "alpha",
  repository: access("/srv/repo"),
  bandwidth_up_kib_per_s: 100,
  bandwidth_down_kib_per_s: null,
  bandwidth_windows: [],
  time_zone: "UTC",
};
const schedule = {
  type: "plan.set",
  plan_version: 7,
  schedules: [],
  source_groups: [],
} as const;

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("the plan is there after a restart, and no file shows what is in it", () => {
  using folder = testFolder();
  const before = new Plan(new StateFolder(folder.path, silent));
  assert.equal(before.version, 0);
  before.setConfig(config);
  before.setSchedule({ ...schedule, schedules: [], source_groups: [] });
  const after = new Plan(new StateFolder(folder.path, silent));
  assert.deepEqual(after.config, config);
  assert.equal(after.version, 7);
  for (const name of names(folder.path)) {
    const path = join(folder.path, name);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    assert.doesNotMatch(Deno.readTextFileSync(path), /secret-of-the-repository|alpha/);
  }
});

for (const damaged of ["plan.sealed", "plan.key"]) {
  Deno.test(`a damaged ${damaged} is named, put aside unchanged, and the next plan replaces it`, () => {
    using folder = testFolder();
    new Plan(new StateFolder(folder.path, silent)).setConfig(config);
    const path = join(folder.path, damaged);
    const bytes = Deno.readFileSync(path);
    bytes[20]! ^= 1;
    Deno.writeFileSync(path, bytes);
    const logged: string[] = [];
    const plan = new Plan(
      new StateFolder(folder.path, createLog("debug", (line) => logged.push(line))),
    );
    assert.equal(plan.config, undefined);
    assert.match(logged.join(""), /plan\.sealed cannot be opened/);
    assert.deepEqual(Deno.readFileSync(`${path}.bad-1`), bytes);
    plan.setConfig(config);
    assert.deepEqual(new Plan(new StateFolder(folder.path, silent)).config, config);
    assert.deepEqual(Deno.readFileSync(`${path}.bad-1`), bytes);
  });
}

Deno.test("the plan of an agent of protocol 1 is read, with its limits by the hour", () => {
  using folder = testFolder();
  const { bandwidth_up_kib_per_s: up, bandwidth_down_kib_per_s: down, ...rest } = config;
  const hours = { days: ["mon"], from: "08:00", to: "18:00" };
  const before = new Plan(new StateFolder(folder.path, silent));
  before.setConfig({
    ...rest,
    bandwidth_up_kbps: up,
    bandwidth_down_kbps: down,
    bandwidth_windows: [{ ...hours, bandwidth_up_kbps: 7, bandwidth_down_kbps: null }],
  } as never);
  const { plan_version, ...others } = schedule;
  before.setSchedule({ ...others, type: "schedule.set", schedule_version: plan_version } as never);
  const state = new StateFolder(folder.path, silent);
  const after = new Plan(state);
  assert.deepEqual(after.config, {
    ...config,
    bandwidth_windows: [{
      ...hours,
      bandwidth_up_kib_per_s: 7,
      bandwidth_down_kib_per_s: null,
    }] as never,
  });
  assert.deepEqual([after.version, state.problems.list.length], [7, 0]);
});
