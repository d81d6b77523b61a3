// A host that can run backups at once, and the two things that most tests of jobs do with it.
import assert from "node:assert/strict";
import { FakeAgent, type JoinedHost, joinHost } from "./fake_agent.ts";
import type { TestServer } from "./start_server.ts";

/** A host whose repository is ready. */
export async function readyHost(
  test: TestServer,
  name = "alpha",
  repository: Record<string, unknown> = {},
): Promise<JoinedHost & { agent: FakeAgent }> {
  const host = await joinHost(test, name, repository);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const init = await agent.next("command.run");
  agent.started(init.job_id);
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  return { ...host, agent };
}

export async function job(test: TestServer, id: string) {
  return (await test.api("victor", "GET", `/api/jobs/${id}`)).body;
}

export async function runBackup(test: TestServer, hostId: string): Promise<string> {
  const started = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, { kind: "backup" });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  return started.body.job_id;
}
