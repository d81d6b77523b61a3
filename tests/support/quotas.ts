// A host that is in the middle of a job, and what tests of quotas ask.
import { newId } from "../../shared/new_id.ts";
import type { Origin } from "../../shared/protocol.ts";
import { FakeAgent, type JoinedHost, joinHost } from "./fake_agent.ts";
import type { TestServer } from "./start_server.ts";

export interface Busy extends JoinedHost {
  agent: FakeAgent;
  /** Its init, which runs. */
  jobId: string;
}

/** A host with a connected agent whose first job runs. */
export async function busyHost(test: TestServer, name: string): Promise<Busy> {
  const host = await joinHost(test, name);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const { job_id } = await agent.next("command.run");
  await agent.acknowledged(agent.started(job_id));
  return { ...host, agent, jobId: job_id };
}

/** Tells that a job of its own clock has begun; returns the job's id and the number of the report. */
export function mint(
  { agent, repositoryId }: Busy,
  type: "job.started" | "job.finished" = "job.started",
): { jobId: string; seq: number } {
  const jobId = newId();
  const origin: Origin = {
    kind: "backup",
    repository_id: repositoryId,
    schedule_id: newId(),
    source_group_id: newId(),
    source_group_name: "default",
    scheduled_at: Date.now(),
    catch_up: false,
    attempt: 1,
  };
  const seq = type === "job.started"
    ? agent.report({
      type,
      job_id: jobId,
      origin,
      at: Date.now(),
      restic_version: "0.18.0",
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
    })
    : agent.finished(jobId, { origin, status: "skipped", exit_code: null });
  return { jobId, seq };
}

export function storedLines(
  { server }: TestServer,
  jobId: string,
): { line: number; text: string }[] {
  return server.database.sqlite.prepare(
    `select line, text from job_lines where job_number = (select number from jobs where id = ?)
       order by line`,
  ).all(jobId) as { line: number; text: string }[];
}

export function rowsOf({ server }: TestServer, table: string): number {
  const row = server.database.sqlite.prepare(`select count(*) as n from ${table}`).get();
  return (row as { n: number }).n;
}

/** What was cut, as the audit has it. */
export async function cutsOf(test: TestServer): Promise<string[]> {
  const { body } = await test.api("alice", "GET", "/api/audit?action=host.cut&limit=100");
  return body.items.map((item: { detail: { what: string } }) => item.detail.what);
}
