// One of everything that a route can name, on a real server, so that routes can be called with ids that exist.
import { join } from "node:path";
import type { Route } from "../../server/web/context.ts";
import { assets, assetsHash } from "../../templates/assets/assets.ts";
import { signIn } from "./browser_session.ts";
import { FakeAgent, type JoinedHost, joinHost } from "./fake_agent.ts";
import { Announcer } from "./fake_announcer.ts";
import type { TestServer } from "./start_server.ts";

/** Stands in the names of what only people who are signed in may see. */
export const CANARY = "canary-7d31";

export interface OneHost extends JoinedHost {
  groupId: string;
  scheduleId: string;
  /** Runs, and has one line. */
  jobId: string;
  agent: FakeAgent;
}

export interface World extends AsyncDisposable {
  hosts: OneHost[];
  /** The path of a route with ids of this host, of whatever else it names. */
  pathOf(route: Pick<Route, "path">, host?: OneHost): string;
}

/** Two hosts with a repository, a schedule and a running backup each, and two machines that wait. */
export async function makeWorld(test: TestServer): Promise<World> {
  const hosts = [
    await makeHost(test, `${CANARY}-alpha`),
    await makeHost(test, `${CANARY}-beta`),
  ];
  const waiting = await Announcer.announced(test, `${CANARY}-pending`);
  const rejected = await Announcer.announced(test, `${CANARY}-rejected`);
  await test.api("alice", "POST", `/api/pending-hosts/${rejected.pendingId}/reject`);
  const [{ id: rejectedKey }] = (await test.api("alice", "GET", "/api/rejected-keys")).body.items;
  const alice = await signIn(test, "alice");
  const [{ id: session }] = (await alice.api("GET", "/api/sessions")).body.items;
  const [{ id: token }] = (await test.api("alice", "GET", "/api/tokens")).body.items;
  const open = await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: `${CANARY}-joining`,
    repository_id: hosts[0]!.repositoryId,
  });
  const ids = (host: OneHost): Record<string, string> => ({
    hosts: host.hostId,
    repositories: host.repositoryId,
    jobs: host.jobId,
    // None that is listed: without one nothing is read, whoever asks.
    snapshots: "ab".repeat(32),
    // None that was begun: it is its maker's alone.
    restores: "01890000-0000-7000-8000-00000000abcd",
    "pending-hosts": waiting.pendingId,
    "rejected-keys": rejectedKey,
    users: test.users.victor.id,
    tokens: token,
    sessions: session,
    joining: open.body.id,
    gid: host.groupId,
    sid: host.scheduleId,
    tid: token,
    hash: assetsHash,
    name: [...assets.keys()][0]!,
  });
  return {
    hosts,
    pathOf: ({ path }, host = hosts[0]!) =>
      path.replace(/([^/]*)\/:(\w+)/g, (_, before: string, name: string) => {
        const id = ids(host)[name === "id" ? before : name];
        if (!id) throw new Error(`nothing stands for :${name} of ${path}`);
        return `${before}/${id}`;
      }),
    [Symbol.asyncDispose]: async () => {
      for (const { agent } of hosts) if (!agent.closed) await agent.close();
    },
  };
}

async function makeHost(test: TestServer, name: string): Promise<OneHost> {
  const host = await joinHost(test, name);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const init = await agent.next("command.run");
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  const path = `/api/hosts/${host.hostId}`;
  const [{ id: groupId }] = (await test.api("alice", "GET", `${path}/source-groups`)).body.items;
  const schedule = await test.api("alice", "POST", `${path}/schedules`, {
    cron: "0 3 * * *",
    source_group_ids: [groupId],
  });
  const job = await test.api("alice", "POST", `${path}/jobs`, { kind: "backup" });
  const jobId: string = job.body.job_id;
  agent.started(jobId);
  await agent.acknowledged(agent.lines(jobId, 1, [`${name} begins`]));
  return { ...host, groupId, scheduleId: schedule.body.id, jobId, agent };
}

/** What comes and goes by itself: who was seen when. */
const RESTLESS = ["audit", "audit_chain", "sessions", "known_networks", "login_tries", "clock"];

/** All that is stored, a text per row, but who was seen when and the audit. */
export function storedIn(test: TestServer): string[] {
  const { sqlite } = test.server.database;
  const tables = sqlite.prepare("select name from sqlite_master where type = 'table'").all()
    .map(({ name }) => String(name)).filter((name) => !RESTLESS.includes(name));
  return tables.flatMap((table) =>
    sqlite.prepare(`select * from "${table}"`).all()
      .map(({ last_seen_at: _, last_used_at: __, heard_ran: ___, clock_skew_ms: ____, ...row }) =>
        `${table} ${JSON.stringify(row, plain)}`
      )
  );
}

/** The rows that there are now and were not there before, and those that are gone. */
export function changedSince(test: TestServer, before: string[]): string[] {
  const [old, now] = [new Set(before), new Set(storedIn(test))];
  return [...new Set(before).difference(now), ...now.difference(old)];
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  return value instanceof Uint8Array ? value.toHex() : value;
}

/** Holds room on the disk and nothing else (server/disk.ts): megabytes in which nothing can be found. */
const BALLAST = "ballast";

/** Every file below a folder as text, by its path; what is replaced in one step may be gone again, and is left out. */
export async function textsBelow(folder: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) Object.assign(texts, await textsBelow(path));
    else if (entry.isFile && entry.name !== BALLAST) {
      const bytes = await Deno.readFile(path).catch(() => undefined);
      if (bytes) texts[path] = new TextDecoder().decode(bytes);
    }
  }
  return texts;
}
