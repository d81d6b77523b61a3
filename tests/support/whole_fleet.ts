// The small fleet with what it lacks: a history, more states of hosts, maintenance, hooks, a waiting join command.
import { CAST, type TestServer } from "./start_server.ts";
import { FakeAgent } from "./fake_agent.ts";
import {
  DAY,
  GIB,
  HOUR,
  MINUTE,
  seedDays,
  type SeededHost,
  seedHosts,
  seedJobs,
  seedLines,
  seedRepository,
  seedSchedule,
  seedSnapshots,
} from "./seed.ts";
import { type SmallFleet, smallFleet } from "./small_fleet.ts";
import { letWork } from "./working_agent.ts";

/** Below it are the numbers of the jobs of earlier nights: jobs are listed by their number, and those are older. */
const FIRST_NUMBER = 1000;
const NIGHTS = 12;

export interface WholeFleet extends AsyncDisposable {
  small: SmallFleet;
  /** The hosts beside those of the small fleet, by name. */
  others: Map<string, SeededHost>;
}

interface Other {
  name: string;
  days: string;
  /** Of the last success; null for a host that never had one. */
  hoursAgo: number | null;
  isOffline?: boolean;
  more?: (now: number) => Record<string, unknown>;
}

const OTHERS: Other[] = [
  // Online, and nobody backed it up: its schedule is paused.
  { name: "files-01", days: "++++++++++++++++++++++++++....", hoursAgo: 100 },
  {
    name: "archive",
    days: "++++++++++++++++++++++++++++..",
    hoursAgo: 60,
    more: (now) => ({ on_hold_since: now - 50 * HOUR }),
  },
  { name: "erp-01", days: "++++++++++++++++++++++++++++++", hoursAgo: 4 },
  {
    name: "kiosk",
    days: "..............................",
    hoursAgo: null,
    isOffline: true,
    more: (now) => ({ repository_ready_at: null, last_seen_at: now - 2 * DAY }),
  },
  {
    name: "build-02",
    days: "++++++++++++++++++++++++++++++",
    hoursAgo: 5,
    more: (now) => ({ restic_version: null, restic_problem_since: now - HOUR }),
  },
];

/** Hosts in every state, with what a few weeks of backups leave; the agents that are connected do what they are ordered. */
export async function wholeFleet(test: TestServer): Promise<WholeFleet> {
  const office = await seedRepository(
    test,
    "Office vault",
    "s3:https://s3.example.org/office-vault",
    Math.round(611.2 * GIB),
  );
  const others = new Map<string, SeededHost>();
  for (const other of OTHERS) others.set(other.name, await seedOther(test, other, office));
  const small = await smallFleet(test);
  await seedHistory(test, [...small.hosts, ...others.values()]);
  await seedMaintenance(test, office, others.get("erp-01")!);
  await seedMore(test, small);
  const agents = [...small.agents.values(), ...await connectOthers(test, others)];
  for (const agent of agents) letWork(agent);
  return {
    small,
    others,
    [Symbol.asyncDispose]: async () => {
      for (const agent of agents) if (!agent.closed) await agent.close();
      await small[Symbol.asyncDispose]();
    },
  };
}

async function seedOther(test: TestServer, other: Other, repository_id: string) {
  const now = test.server.now();
  const at = other.hoursAgo === null ? null : now - other.hoursAgo * HOUR;
  const [host] = await seedHosts(test, [{
    name: other.name,
    repository_id,
    tags: JSON.stringify(["office"]),
    last_backup_at: at,
    last_backup_status: at === null ? null : "succeeded",
    last_success_at: at,
    ...other.more?.(now),
  }]);
  await seedDays(test, host!.id, other.days);
  await seedSchedule(test, host!, "30 23 * * *");
  if (at === null) return host!;
  const [jobId] = await seedJobs(test, [{
    host_id: host!.id,
    repository_id,
    source_group_id: host!.groupId,
    created_at: at - 3 * MINUTE,
    // The first one leaves the numbers below it free.
    ...(other === OTHERS[0] ? { number: FIRST_NUMBER } : {}),
  }]);
  await test.server.db.updateTable("hosts").set({ last_backup_job_id: jobId })
    .where("id", "=", host!.id).execute();
  const nights = Array.from({ length: 20 }, (_, n) => ({ time: at - n * DAY }));
  await seedSnapshots(test, host!.id, nights);
  return host!;
}

/** The backups of the nights before, in the order of their time. */
async function seedHistory(test: TestServer, hosts: SeededHost[]): Promise<void> {
  const now = test.server.now();
  const repositories = await test.server.db.selectFrom("hosts").select(["id", "repository_id"])
    .execute();
  const repositoryOf = new Map(repositories.map(({ id, repository_id }) => [id, repository_id]));
  const rows = hosts.flatMap((host, place) =>
    Array.from({ length: NIGHTS }, (_, night) => ({
      host_id: host.id,
      repository_id: repositoryOf.get(host.id)!,
      source_group_id: host.groupId,
      created_at: now - (NIGHTS - night + 4) * DAY + place * 7 * MINUTE,
      // One in forty was ended by a restart of its machine.
      ...((night * hosts.length + place) % 40 === 9
        ? { ...INTERRUPTED, finished_at: now - (NIGHTS - night + 4) * DAY + place * 8 * MINUTE }
        : {}),
    }))
  ).sort((a, b) => a.created_at - b.created_at)
    .map((row, n) => ({ ...row, number: n + 1 }));
  for (const id of await seedJobs(test, rows)) await seedLines(test, id, LINES);
}

const INTERRUPTED = {
  status: "interrupted" as const,
  reason: "The agent was stopped while the job ran.",
  reason_code: "interrupted",
  exit_code: null,
  summary: null,
};

const LINES = [
  { text: "using parent snapshot 5f0c2d11" },
  { stream: "hook" as const, text: "hook: pre-backup ended with exit code 0" },
  { text: "snapshot 90ad4c2e: 12 files new, 31 changed, 48211 unmodified" },
];

/** A prune and a forget that succeeded, a check that did not. */
async function seedMaintenance(test: TestServer, repository_id: string, host: SeededHost) {
  const now = test.server.now();
  const job = {
    host_id: host.id,
    repository_id,
    source_group_id: null,
    source_group_name: null,
    summary: null,
    actor_kind: "system" as const,
    actor_id: null,
    actor_name: "maintenance",
  };
  await seedJobs(test, [
    { ...job, kind: "forget", created_at: now - 26 * HOUR },
    { ...job, kind: "prune", created_at: now - 25 * HOUR },
    {
      ...job,
      kind: "check",
      created_at: now - 20 * HOUR,
      status: "failed",
      exit_code: 1,
      reason: "The repository is damaged: pack 5f0c2d11 is missing.",
      reason_code: "damaged",
    },
  ]);
}

/** A hook, a second group with a schedule, and a join command that nobody has run yet. */
async function seedMore(test: TestServer, { hosts }: SmallFleet): Promise<void> {
  const database = hosts.find(({ name }) => name === "db-01")!;
  const path = `/api/hosts/${database.id}`;
  const dumps = await call(test, "POST", `${path}/source-groups`, {
    name: "dumps",
    includes: ["/var/backups/postgresql"],
    excludes: ["*.partial"],
    retention: { keep_daily: 7, keep_monthly: 12 },
    pre_hook: "sudo -u postgres pg_dumpall --file /var/backups/postgresql/all.sql",
    hook_timeout_seconds: 1800,
  });
  await call(test, "POST", `${path}/schedules`, {
    cron: "0 */6 * * *",
    source_group_ids: [dumps.id],
  });
  await call(test, "POST", "/api/enrollment-tokens", {
    hostname: "web-03",
    initial_paths: ["/etc", "/srv"],
    repository: {
      name: "web-03 vault",
      url: "rest:https://backup.example.org:8000/web-03/",
      password: "a repository password",
      is_new: true,
    },
  });
}

async function call(test: TestServer, method: string, path: string, body: unknown) {
  const answer = await test.api("alice", method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Those that are online; erp-01 is two machines with one identity, which is seen when the first one comes back. */
async function connectOthers(test: TestServer, others: Map<string, SeededHost>) {
  const agents: FakeAgent[] = [];
  for (const { name, isOffline } of OTHERS) {
    if (isOffline) continue;
    const { bearer } = others.get(name)!;
    if (name === "erp-01") agents.push(await inDoubt(test, bearer, name));
    else {
      agents.push(
        await FakeAgent.connect(test.url, bearer, {
          hostname: name,
          ...(name === "build-02" ? WITHOUT_RESTIC : {}),
        }),
      );
    }
  }
  return agents;
}

const WITHOUT_RESTIC = { restic_version: null, restic_problem: "There is no restic on PATH." };

async function inDoubt(test: TestServer, bearer: string, hostname: string): Promise<FakeAgent> {
  const [one, other] = ["a1".repeat(16), "b2".repeat(16)];
  await FakeAgent.connect(test.url, bearer, { hostname, instance: one });
  await FakeAgent.connect(test.url, bearer, { hostname, instance: other });
  const back = await FakeAgent.dial(test.url, bearer);
  back.hello({ hostname, instance: one });
  await back.next("error");
  return back;
}

/** Who can sign in, for whoever shows the fleet to people. */
export const PEOPLE = Object.entries(CAST);
