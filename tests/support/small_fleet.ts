// A fleet that looks like someone's: eight hosts in every state there is.
import type { LineStream } from "../../shared/job.ts";
import { FakeAgent } from "./fake_agent.ts";
import { Announcer } from "./fake_announcer.ts";
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
import type { TestServer } from "./start_server.ts";

interface Member {
  name: string;
  os?: string;
  tags: string[];
  size: number;
  days: string;
  /** Of the last backup. */
  hoursAgo: number;
  warnings?: number;
  failure?: string;
  lastSuccessHoursAgo?: number;
  isOffline?: boolean;
  /** Nightly unless told otherwise. */
  cron?: string;
}

const WELL = "++++++++++++++++++++++++++++++";
const MEMBERS: Member[] = [
  {
    name: "web-01",
    cron: "0 2 * * *",
    tags: ["berlin", "web"],
    size: 212.4,
    days: WELL,
    hoursAgo: 2,
  },
  {
    name: "web-02",
    cron: "15 2 * * *",
    tags: ["berlin", "web"],
    size: 208.9,
    days: "++++++++++++++++++++x+++++++++",
    hoursAgo: 2.2,
  },
  {
    name: "db-01",
    cron: "30 1 * * *",
    tags: ["berlin", "database"],
    size: 846.1,
    days: WELL,
    hoursAgo: 24,
  },
  {
    name: "db-02",
    cron: "45 1 * * *",
    tags: ["hamburg", "database"],
    size: 791.6,
    days: "+++++++++++++++++++++++++++++x",
    hoursAgo: 3,
    lastSuccessHoursAgo: 27.4,
    failure: "The repository is locked by db-02 (PID 4112) since 03:00. Unlock it if nothing runs.",
  },
  {
    name: "mail-01",
    tags: ["berlin"],
    size: 94.2,
    days: "++++++++++++++++!++++++++++++!",
    hoursAgo: 2.6,
    warnings: 2,
  },
  { name: "nas", cron: "0 4 * * *", tags: ["office"], size: 3720.5, days: WELL, hoursAgo: 7 },
  {
    name: "pc-anna",
    cron: "0 12 * * 1-5",
    os: "windows",
    tags: ["office"],
    size: 61.3,
    days: "++++..+++++..+++++..+++++..+++",
    hoursAgo: 5,
    isOffline: true,
  },
  {
    name: "pc-leo",
    cron: "30 12 * * 1-5",
    os: "windows",
    tags: ["office"],
    size: 48.7,
    days: "++++..+++++..+++++..++++++....",
    hoursAgo: 97,
    isOffline: true,
  },
];

export interface SmallFleet extends AsyncDisposable {
  hosts: SeededHost[];
  /** One of each host. */
  schedules: string[];
  /** Connected, by name. */
  agents: Map<string, FakeAgent>;
  repositoryId: string;
  jobs: { succeeded: string; failed: string; warned: string; running: string };
  /** Waits for approval, connected; another one that waits has the name of a host. */
  pendingId: string;
}

/** Eight hosts in every state there is; db-01 runs a backup that is at 62 %; two machines wait for approval. */
export async function smallFleet(test: TestServer): Promise<SmallFleet> {
  const hosts: SeededHost[] = [];
  const schedules: string[] = [];
  const lastJobs = new Map<string, string>();
  let repositoryId = "";
  for (const member of MEMBERS) {
    const url = `rest:https://backup.example.org:8000/${member.name}/`;
    repositoryId = await seedRepository(
      test,
      `${member.name} vault`,
      url,
      Math.round(member.size * GIB),
    );
    const { host, jobId, scheduleId } = await seedMember(test, member, repositoryId);
    hosts.push(host);
    schedules.push(scheduleId);
    lastJobs.set(member.name, jobId);
  }
  const agents = new Map<string, FakeAgent>();
  for (const [i, host] of hosts.entries()) {
    const { os = "linux", isOffline } = MEMBERS[i]!;
    if (isOffline) continue;
    agents.set(host.name, await connect(test, host, os));
  }
  const busy = hosts.find(({ name }) => name === "db-01")!;
  const running = await runTo62(test, busy, agents.get(busy.name)!);
  const anna = await Announcer.announced(test, "pc-nora");
  const waiting = await anna.wait(test.url);
  await Announcer.announced(test, "web-01");
  return {
    hosts,
    schedules,
    agents,
    repositoryId,
    jobs: {
      succeeded: lastJobs.get("web-01")!,
      failed: lastJobs.get("db-02")!,
      warned: lastJobs.get("mail-01")!,
      running,
    },
    pendingId: anna.pendingId,
    [Symbol.asyncDispose]: async () => {
      await waiting.close();
      for (const agent of agents.values()) await agent.close();
    },
  };
}

/** Connected, and with the newest plan. */
async function connect(test: TestServer, host: SeededHost, os: string): Promise<FakeAgent> {
  const agent = await FakeAgent.connect(test.url, host.bearer, { hostname: host.name, os });
  const { plan_version } = await agent.next("plan.set");
  agent.send({ type: "plan.ack", plan_version });
  return agent;
}

async function seedMember(test: TestServer, member: Member, repository_id: string) {
  const now = test.server.now();
  const at = Math.round(now - member.hoursAgo * HOUR);
  const status = member.failure ? "failed" : "succeeded";
  const warnings = member.warnings ?? 0;
  const reason = member.failure ??
    (warnings
      ? `The snapshot is incomplete: ${warnings} files or folders could not be read.`
      : null);
  const [host] = await seedHosts(test, [{
    name: member.name,
    repository_id,
    os: member.os ?? "linux",
    tags: JSON.stringify(member.tags),
    last_backup_at: at,
    last_backup_status: status,
    last_backup_warnings: warnings,
    last_backup_reason: reason,
    last_backup_reason_code: member.failure ? "locked" : warnings ? "warnings" : null,
    last_success_at: Math.round(now - (member.lastSuccessHoursAgo ?? member.hoursAgo) * HOUR),
  }]);
  const cron = member.cron ?? "0 3 * * *";
  const scheduleId = await seedSchedule(test, host!, cron);
  const [jobId] = await seedJobs(test, [{
    host_id: host!.id,
    repository_id,
    source_group_id: host!.groupId,
    actor_kind: "schedule",
    actor_id: scheduleId,
    actor_name: `schedule ${cron}`,
    schedule_id: scheduleId,
    scheduled_at: at - 3 * MINUTE,
    created_at: at - 3 * MINUTE,
    status,
    warnings,
    reason,
    reason_code: member.failure ? "locked" : warnings ? "warnings" : null,
    exit_code: member.failure ? 11 : warnings ? 3 : 0,
    ...(member.failure ? { summary: null } : {}),
  }]);
  await test.server.db.updateTable("hosts").set({ last_backup_job_id: jobId })
    .where("id", "=", host!.id).execute();
  await seedLines(test, jobId!, LOG);
  await seedDays(test, host!.id, member.days);
  const snapshots = [...member.days].filter((day) => "+!".includes(day)).length + 4;
  await seedSnapshots(
    test,
    host!.id,
    Array.from({ length: snapshots }, (_, i) => ({ time: at - i * DAY })),
  );
  return { host: host!, jobId: jobId!, scheduleId };
}

const LOG: { stream?: LineStream; text: string }[] = [
  { text: "using parent snapshot 79766175" },
  { stream: "stderr", text: "error: lstat /srv/spool/in.tmp: no such file or directory" },
  { stream: "hook", text: "hook: pre-backup ended with exit code 0" },
  {
    text:
      "snapshot f1d2a901: 12 files new, 31 changed, 48211 unmodified; 40802189312 bytes read, 224395264 added, 171.2 s",
  },
];

async function runTo62(test: TestServer, host: SeededHost, agent: FakeAgent): Promise<string> {
  const { body } = await test.api("olive", "POST", `/api/hosts/${host.id}/jobs`, {
    kind: "backup",
  });
  const jobId: string = body.job_id;
  await agent.next("command.run", ({ job_id }) => job_id === jobId);
  agent.report({
    type: "job.started",
    job_id: jobId,
    at: test.server.now() - 656_000,
    restic_version: "0.18.0",
    bandwidth_up_kib_per_s: null,
    bandwidth_down_kib_per_s: null,
  });
  agent.send({
    type: "job.progress",
    job_id: jobId,
    progress: {
      percent: 62,
      files_done: 18_204,
      files_total: 29_410,
      bytes_done: Math.round(26.4 * GIB),
      bytes_total: Math.round(42.6 * GIB),
      bytes_per_second: Math.round(41.2 * 2 ** 20),
      seconds_elapsed: 656,
      seconds_remaining: 402,
      current_path: "/var/lib/postgresql/15/main/base/16384/2619",
    },
  });
  await agent.acknowledged(agent.lines(jobId, 1, ["using parent snapshot 79766175"]));
  return jobId;
}
