// Every code of a problem is reached from the facts that cause it, over the real server, and says since when.
import assert from "node:assert/strict";
import {
  type Problem,
  PROBLEM_CODES,
  type ProblemCode,
  PROBLEMS,
} from "../../../shared/problems.ts";
import { parseRepositoryUrl } from "../../../shared/repository_url.ts";
import type { Hello } from "../../../shared/protocol.ts";
import { endLostJobs } from "../../../server/jobs/reconcile.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const URL = "rest:http://nas.example:8000/fleet/";
const [A, B] = ["a".repeat(32), "b".repeat(32)] as [string, string];

/** A problem as the API has it. */
interface Shown {
  code: string;
  severity: string;
  since: string;
  message: string;
  params: Record<string, unknown>;
}

class World {
  readonly agents: FakeAgent[] = [];

  constructor(
    readonly test: TestServer,
    readonly host: { hostId: string; repositoryId: string; bearer: string },
  ) {}

  async api(method: string, path: string, body?: unknown) {
    const answer = await this.test.api("alice", method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get path() {
    return `/api/hosts/${this.host.hostId}`;
  }

  get repository() {
    return `/api/repositories/${this.host.repositoryId}`;
  }

  async connect(hello: Partial<Hello> = {}): Promise<FakeAgent> {
    const agent = await FakeAgent.connect(this.test.url, this.host.bearer, {
      instance: A,
      ...hello,
    });
    this.agents.push(agent);
    return agent;
  }

  /** Connected, and its repository opened. */
  async ready(): Promise<FakeAgent> {
    const agent = await this.connect();
    const { job_id } = await agent.next("command.run");
    await agent.acknowledged(agent.finished(job_id, { created: true }));
    return agent;
  }

  async away(): Promise<void> {
    for (const agent of this.agents) await agent.close();
    await eventually("offline", () => !this.test.server.agents.isOnline(this.host.hostId));
  }

  /** Runs it over the API; `path` is of the host or of the repository. */
  async run(agent: FakeAgent, path: string, kind: string, end: Record<string, unknown> = {}) {
    const { job_id } = await this.api("POST", `${path}/jobs`, { kind });
    await agent.next("command.run", (order) => order.job_id === job_id);
    await agent.acknowledged(agent.started(job_id));
    const at = Date.now() + this.test.clock.passed;
    await agent.acknowledged(agent.finished(job_id, { at, ...end }));
    return job_id as string;
  }

  async backup(end: Record<string, unknown>) {
    const id = await this.run(await this.ready(), this.path, "backup", end);
    return { params: { job_id: id, reason: end.reason, reason_code: end.reason_code } };
  }

  /** What its agent reports of itself. */
  async reports(kind: "state_damaged" | "state_not_writable" | "plan_refused") {
    await this.connect({ problems: [{ kind, text: "ledger.json is empty", since: 5 }] });
    return { params: { text: "ledger.json is empty" } };
  }

  /** Maintenance that failed, and nine days later has not succeeded. */
  async failing(kind: "forget" | "prune" | "check") {
    const agent = await this.ready();
    await this.test.server.db.updateTable("source_groups")
      .set({ retention: JSON.stringify({ keep_last: 7 }) }).execute();
    if (kind !== "check") {
      await this.api("PUT", `${this.repository}/admin-credential`, { everyday: true });
      await this.api("PUT", `${this.repository}/maintenance`, { host_ids: [this.host.hostId] });
    }
    await this.api("PUT", `${this.repository}/maintenance`, {
      [kind]: { enabled: true, cron: "0 4 * * *" },
    });
    await this.run(agent, this.repository, kind, {
      status: "failed",
      reason: "no way",
      reason_code: "locked",
    });
    this.test.clock.passUntil(9 * DAY);
    return { params: { days: 9, reason: "no way", reason_code: "locked" } };
  }

  /** Two machines use the host's identity by turns. */
  async doubt(): Promise<void> {
    await this.connect();
    await this.connect({ instance: B });
    const back = await FakeAgent.dial(this.test.url, this.host.bearer);
    this.agents.push(back);
    back.hello({ instance: A });
    await back.next("error");
  }

  async problems(): Promise<Shown[]> {
    const host = await this.api("GET", this.path);
    const { tasks } = await this.api("GET", `${this.repository}/maintenance`);
    return [
      ...host.problem_details,
      ...tasks.flatMap(({ off_problem }: { off_problem: Shown | null }) => off_problem ?? []),
    ];
  }
}

interface Reached {
  /** Of the params those that matter. */
  params?: Record<string, unknown>;
  /** In milliseconds of the server's time; otherwise while the test ran. */
  since?: number;
}

const REACHED: Record<ProblemCode, (world: World) => Promise<Reached | void>> = {
  two_machines: (world) => world.doubt(),
  restic_missing: async (world) => {
    await world.connect({ restic_version: null, restic_problem: "none at /usr/bin" });
    return { params: { text: "none at /usr/bin" } };
  },
  restic_too_old: async (world) => {
    await world.connect({
      restic_version: null,
      restic_problem: "restic 0.9.0 is there",
      restic_problem_code: "restic_too_old",
    });
    return { params: { text: "restic 0.9.0 is there" } };
  },
  init_failed: async (world) => {
    const agent = await world.connect();
    const { job_id } = await agent.next("command.run");
    await agent.acknowledged(agent.finished(job_id, { status: "failed", reason: "no" }));
    return { params: { job_id } };
  },
  backup_overdue: async (world) => {
    await world.run(await world.ready(), world.path, "backup");
    const { last_success_at } = await world.api("GET", world.path);
    world.test.clock.passUntil(50 * HOUR);
    const since = Date.parse(last_success_at) + 26 * HOUR;
    return { params: { last_success_at, hours: 50 }, since };
  },
  backup_failed: (world) =>
    world.backup({ status: "failed", reason: "The disk is gone.", reason_code: "restic_failed" }),
  backup_interrupted: (world) =>
    world.backup({ status: "interrupted", reason: "stopped", reason_code: "agent_stopped" }),
  nothing_saved: (world) =>
    world.backup({ status: "failed", reason: "Nothing.", reason_code: "nothing_saved" }),
  backup_warnings: (world) =>
    world.backup({ warnings: 3, reason: "3 were not read.", reason_code: "warnings" }),
  less_than_usual: async (world) => {
    const agent = await world.ready();
    const groups = await world.api("GET", `${world.path}/source-groups`);
    const summary = (files: number) => ({
      snapshot_id: "ab".repeat(32),
      files_new: files,
      files_changed: 0,
      files_unmodified: 0,
      bytes_added: files,
      bytes_processed: files * 1000,
      seconds: 1,
    });
    assert.equal(groups.items.length, 1);
    await world.run(agent, world.path, "backup", { summary: summary(10_000) });
    await world.run(agent, world.path, "backup", { summary: summary(10) });
    return { params: { reason_code: "less_than_usual", warnings: 1 } };
  },
  on_hold: async (world) => {
    await world.ready();
    await world.away();
    const { token } = await world.api("POST", `${world.path}/rejoin-token`);
    await world.api("POST", "/api/agents/enroll", {
      token,
      enrolment_key: "ab".repeat(32),
      hostname: "fresh",
      os: "linux",
      arch: "x86_64",
      agent_version: "0.1.0",
    });
  },
  repository_id_changed: async (world) => {
    const agent = await world.ready();
    const opened = (restic_id: string) => ({
      opened: { restic_id, address: parseRepositoryUrl(URL).normalised },
    });
    await world.run(agent, world.path, "backup", opened("a1".repeat(32)));
    await world.run(agent, world.path, "backup", opened("b2".repeat(32)));
  },
  state_put_aside: (world) => world.reports("state_damaged"),
  state_not_writable: (world) => world.reports("state_not_writable"),
  plan_refused: (world) => world.reports("plan_refused"),
  clock_skew: async (world) => {
    await world.connect({ clock: Date.now() + 3 * HOUR });
  },
  not_backed_up_yet: async (world) => {
    await world.ready();
  },
  host_offline: async (world) => {
    await world.ready();
    await world.away();
    const { last_seen_at } = await world.api("GET", world.path);
    return { params: { last_seen_at }, since: Date.parse(last_seen_at) };
  },
  never_connected: () => Promise.resolve(),
  forget_failed: (world) => world.failing("forget"),
  prune_failed: (world) => world.failing("prune"),
  check_failed: (world) => world.failing("check"),
  no_maintenance_host: async (world) => {
    await world.ready();
    await world.api("PUT", `${world.repository}/admin-credential`, { everyday: true });
  },
  lease_not_ended: async (world) => {
    const agent = await world.ready();
    const { job_id } = await world.api("POST", `${world.repository}/jobs`, { kind: "check" });
    await agent.next("command.run", (order) => order.job_id === job_id);
    await agent.acknowledged(agent.started(job_id));
    await world.away();
    world.test.clock.pass(31 * MINUTE);
    await endLostJobs(world.test.server);
    const params = { job_id, kind: "check", host_id: world.host.hostId, host_name: "alpha" };
    return { params };
  },
  no_admin_credential: () => Promise.resolve(),
  maintenance_host_not_named: async (world) => {
    await world.api("PUT", `${world.repository}/admin-credential`, { everyday: true });
  },
  maintenance_hosts_wait: async (world) => {
    await world.api("PUT", `${world.repository}/admin-credential`, { everyday: true });
    await world.api("PUT", `${world.repository}/maintenance`, { host_ids: [world.host.hostId] });
    await world.doubt();
    return { params: { host_names: ["alpha"] } };
  },
};

Deno.test("the table of what reaches a problem has every code", () => {
  assert.deepEqual(Object.keys(REACHED), PROBLEM_CODES);
});

for (const code of PROBLEM_CODES) {
  Deno.test(`${code} is reached by what causes it, with its severity, since when and its params`, async () => {
    await using test = await startServer({ still: true });
    const begun = test.server.now();
    const host = await joinHost(test, "alpha", { name: "nas", url: URL }, ["/etc"]);
    const world = new World(test, host);
    assert.ok(
      code === "never_connected" || code === "no_admin_credential" ||
        !(await world.problems()).some((each) => each.code === code),
      "it was there before",
    );
    const { params = {}, since } = await REACHED[code](world) ?? {};
    const found = (await world.problems()).find((each) => each.code === code);
    assert.ok(found, JSON.stringify(await world.problems()));
    assert.equal(found.severity, PROBLEMS[code].severity);
    assert.ok(found.message.length > 3);
    for (const [name, value] of Object.entries(params)) assert.deepEqual(found.params[name], value);
    const at = Date.parse(found.since);
    assert.match(found.since, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    if (since !== undefined) assert.equal(at, since);
    assert.ok(at >= begun && at <= test.server.now(), `${found.since} is not while this ran`);
    for (const agent of world.agents) await agent.close();
  });
}

Deno.test("since when a clock is wrong and restic is missing stays over reconnects, and begins anew after it was right", async () => {
  await using test = await startServer({ still: true });
  const world = new World(test, await joinHost(test, "alpha"));
  const bad = () =>
    world.connect({
      restic_version: null,
      clock: test.server.now() + 3 * HOUR,
    });
  const since = async () =>
    (await world.problems()).filter(({ code }) =>
      code === "clock_skew" || code === "restic_missing"
    )
      .map((each) => Date.parse(each.since));
  await bad();
  const first = await since();
  assert.equal(first.length, 2);
  test.clock.pass(10 * MINUTE);
  await bad();
  assert.deepEqual(await since(), first);
  await world.connect({ clock: test.server.now() });
  assert.deepEqual(await since(), []);
  await bad();
  for (const at of await since()) assert.ok(at - first[0]! >= 10 * MINUTE);
  for (const agent of world.agents) await agent.close();
});

Deno.test("each problem of an agent and of a repository is listed by itself, and told in one text as before", async () => {
  await using test = await startServer({ still: true });
  const world = new World(test, await joinHost(test, "alpha"));
  const agent = await world.connect({
    problems: [
      { kind: "plan_refused", text: "schedules.0 is not valid.", since: 1 },
      { kind: "state_damaged", text: "jobs.json is empty.", since: 2 },
      { kind: "state_damaged", text: "clock.json is empty.", since: 3 },
    ],
  });
  const { problems, problem_details } = await world.api("GET", world.path);
  assert.deepEqual(problems.filter((text: string) => text.startsWith("its agent")), [
    "its agent reports: schedules.0 is not valid (and 2 more)",
  ]);
  assert.deepEqual(
    problem_details.map(({ code }: Problem) => code).filter((code: string) =>
      code !== "not_backed_up_yet"
    ),
    ["plan_refused", "state_put_aside", "state_put_aside"],
  );
  await agent.close();
});

Deno.test("what is accepted of a backup is warned of no more, and what else it was warned of keeps a code of its own", async () => {
  await using test = await startServer({ still: true });
  const world = new World(test, await joinHost(test, "alpha", undefined, ["/etc"]));
  const agent = await world.ready();
  const summary = (files: number) => ({
    snapshot_id: "ab".repeat(32),
    files_new: files,
    files_changed: 0,
    files_unmodified: 0,
    bytes_added: files,
    bytes_processed: files * 1000,
    seconds: 1,
  });
  await world.run(agent, world.path, "backup", { summary: summary(10_000) });
  const id = await world.run(agent, world.path, "backup", {
    summary: summary(10),
    warnings: 2,
    reason: "2 were not read.",
    reason_code: "warnings",
  });
  const codes = async () =>
    (await world.problems()).map(({ code }) => code)
      .filter((code) => code !== "no_admin_credential");
  assert.deepEqual(await codes(), ["less_than_usual"]);
  await world.api("POST", `/api/jobs/${id}/accept`);
  assert.deepEqual(await codes(), ["backup_warnings"]);
  await agent.close();
});

Deno.test("the document of the API names every code, and what each problem has", async () => {
  await using test = await startServer({ still: true });
  const { body } = await test.api("victor", "GET", "/api/openapi.json");
  const { Problem, Host } = body.components.schemas;
  assert.deepEqual(Problem.properties.code.enum, PROBLEM_CODES);
  assert.equal(Problem.oneOf.length, PROBLEM_CODES.length);
  const overdue = Problem.oneOf.find((each: { properties: { code: { const: string } } }) =>
    each.properties.code.const === "backup_overdue"
  );
  const { last_success_at, hours } = overdue.properties.params.properties;
  assert.match(JSON.stringify(last_success_at), /"date-time"/);
  assert.equal(hours.type, "number");
  for (const path of ["/api/hosts", "/api/hosts/{id}", "/api/fleet/summary"]) {
    const answer = JSON.stringify(body.paths[path].get.responses["200"])
      .replaceAll('{"$ref":"#/components/schemas/Host"}', JSON.stringify(Host));
    assert.match(answer, /schemas\/Problem"/);
  }
});
