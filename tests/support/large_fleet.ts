// More than anybody has, under names that nobody should choose: what agents and people may send, as far as it goes.
import { newId } from "../../shared/new_id.ts";
import { FakeAgent } from "./fake_agent.ts";
import {
  HOUR,
  MINUTE,
  seedDays,
  type SeededHost,
  seedHosts,
  seedJobs,
  seedLines,
  seedPendingHosts,
  seedRepository,
  seedSchedule,
  seedSnapshots,
} from "./seed.ts";
import type { TestServer } from "./start_server.ts";

const MARKUP = "<script>alert(1)</script><b id=injected>'\"&amp;";
const RTL = "خادم-النسخ-الاحتياطي-الليلي";
const ESCAPES = "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[2K\r\u009b31m";
/** Exactly 200 characters, none of them a place to break the line. */
const long = (n: number) => `${n}-${"very-long-host-name-".repeat(10)}`.slice(0, 200);
const nameOf = (n: number) => [long(n), `${n}-${RTL}`, `${n}-host`, `${n}`][n % 4]!;

export interface LargeFleet extends AsyncDisposable {
  host: SeededHost;
  scheduleId: string;
  repositoryId: string;
  ended: string;
  running: string;
  pendingId: string;
}

/** 1,000 hosts, 210 repositories, 2,000 jobs, 100 machines that wait and, on the host, 10,000 snapshots. */
export async function largeFleet(test: TestServer): Promise<LargeFleet> {
  const now = test.server.now();
  const repositories: string[] = [];
  for (let n = 0; n < 210; n++) {
    const url = `rest:https://backup.example.org/${"folder/".repeat(24)}${n}/`;
    repositories.push(await seedRepository(test, long(n), url, n % 2 ? 2 ** 52 : null));
  }
  const repositoryId = repositories[0]!;
  const paths = Array.from(
    { length: 40 },
    (_, n) => `/${n}/${RTL} ${MARKUP}${"/long-folder-name".repeat(n === 7 ? 230 : 2)}`,
  );
  const hosts = await seedHosts(
    test,
    Array.from({ length: 1000 }, (_, n) => ({
      name: nameOf(n),
      // Most share one: a repository's own page names its hosts.
      repository_id: n % 5 ? repositoryId : repositories[n % 210]!,
      hostname: `${MARKUP}${RTL}`,
      os: "<b>os</b>",
      arch: "\u202Egnp.exe",
      agent_version: MARKUP,
      restic_version: n % 4 ? MARKUP : null,
      restic_problem: n % 4 ? null : `${MARKUP} ${"x".repeat(300)}`,
      tags: JSON.stringify(
        Array.from({ length: n % 50 === 0 ? 32 : 2 }, (_, t) => `${RTL.slice(0, 12)}-${t}`),
      ),
      last_backup_job_id: newId(),
      last_backup_at: now - (n % 60) * HOUR,
      last_backup_status: n % 4 === 3 ? "failed" as const : "succeeded" as const,
      last_backup_warnings: n % 5 === 4 ? 123_456 : 0,
      last_backup_reason: n % 4 === 3 ? `${MARKUP} ${ESCAPES} ${"y".repeat(1500)}` : null,
      last_success_at: now - (n % 60) * HOUR,
    })),
    { includes: JSON.stringify(paths), excludes: JSON.stringify(paths), name: RTL },
  );
  const [host] = hosts;
  for (const each of hosts.slice(0, 60)) await seedDays(test, each.id, "+x!.".repeat(7) + "+x");
  const jobs = await seedJobs(
    test,
    Array.from({ length: 2000 }, (_, n) => ({
      host_id: hosts[n % 3 ? n % 1000 : 0]!.id,
      repository_id: repositoryId,
      source_group_name: `${RTL}${"z".repeat(37)}`,
      actor_name: "a".repeat(64),
      created_at: now - (2000 - n) * 10 * MINUTE,
      status: n % 4 === 3 ? "failed" as const : "succeeded" as const,
      reason: n % 4 === 3 ? `${MARKUP} ${ESCAPES} ${"y".repeat(1500)}` : null,
      warnings: n % 5 ? 0 : 123_456,
    })),
  );
  const ended = jobs[1998]!;
  const lines = Array.from({ length: 2000 }, (_, n) => ({
    stream: (["stdout", "stderr", "hook", "agent"] as const)[n % 4],
    text: `${n} ${MARKUP} ${ESCAPES} ${RTL}${n % 50 === 49 ? "w".repeat(65_000) : ""}`,
  }));
  await seedLines(test, ended, lines);
  await seedSnapshots(
    test,
    host!.id,
    Array.from({ length: 10_000 }, (_, n) => ({
      time: now - n * 17 * MINUTE,
      tags: JSON.stringify(n % 5 ? [RTL] : [`${MARKUP}${"t".repeat(150)}`, RTL, "c", "d", "e"]),
      paths: JSON.stringify(
        n % 5 ? [`/${RTL}`] : [`/${MARKUP}${"p".repeat(200)}`, `/${RTL}`, ...paths.slice(0, 8)],
      ),
      hostname: MARKUP,
      username: MARKUP,
      files: 123_456_789,
      bytes: 2 ** 52,
      bytes_added: 2 ** 52,
    })),
  );
  const schedules: string[] = [];
  for (let n = 0; n < 30; n++) schedules.push(await seedSchedule(test, host!, `${n} 3 * * 1-5`));
  const agent = await FakeAgent.connect(test.url, host!.bearer, {
    hostname: `${MARKUP}${RTL}`,
    os: "<b>os</b>",
    arch: "\u202Egnp.exe",
  });
  const { body } = await test.api("olive", "POST", `/api/hosts/${host!.id}/jobs`, {
    kind: "backup",
  });
  await agent.next("command.run");
  agent.started(body.job_id);
  await agent.acknowledged(
    agent.lines(body.job_id, 1, lines.slice(0, 300).map(({ text }) => text.slice(0, 2000))),
  );
  const pendingIds = await seedPendingHosts(
    test,
    Array.from({ length: 100 }, (_, n) => ({
      hostname: n % 2 ? `${MARKUP}${long(n)}` : `${n}-${RTL}`,
      os: MARKUP,
      arch: `${MARKUP}\u202Egnp.exe`,
      agent_version: `${MARKUP}${ESCAPES}`,
      announced_from_ip: "2001:db8:1234:5678:9abc:def0:1234:5678",
    })),
  );
  return {
    pendingId: pendingIds[0]!,
    host: host!,
    scheduleId: schedules[0]!,
    repositoryId,
    ended,
    running: body.job_id,
    [Symbol.asyncDispose]: () => agent.close(),
  };
}
