// The real server and real agents in one process, each with a clock that the test sets, and the real restic below them.
import { join } from "node:path";
import type { Agent } from "../../agent/agent.ts";
import type { Brake } from "../../agent/brake/brake.ts";
import { createLog } from "../../shared/log.ts";
import { eventually } from "./eventually.ts";
import { type JoinedHost, joinHost } from "./fake_agent.ts";
import { startServer, type TestServer } from "./start_server.ts";
import { type AgentOptions, openAgent } from "../../agent/open.ts";

export interface RealHost extends JoinedHost {
  name: string;
  agent: Agent;
  logged: string[];
}

export interface RealAgentOptions {
  restic: string;
  repository: Record<string, unknown>;
  paths: string[];
  /** The address under which the agent reaches the server, where something is in between. */
  server?: string;
  /** What the machine's owner allows. */
  brake?: Brake;
  options?: Partial<Omit<AgentOptions, "settings">>;
}

export class RealPair implements AsyncDisposable {
  readonly hosts: RealHost[] = [];
  private constructor(readonly test: TestServer, readonly folder: string) {}

  static async start(): Promise<RealPair> {
    return new RealPair(await startServer(), await Deno.makeTempDir({ prefix: "rm-pair-" }));
  }

  /** Joins a host and waits until its repository is ready. */
  async join(name: string, given: RealAgentOptions): Promise<RealHost> {
    const joined = await joinHost(this.test, name, given.repository, given.paths);
    const host: RealHost = { ...joined, name, logged: [], agent: undefined as unknown as Agent };
    this.open(host, given);
    this.hosts.push(host);
    await eventually(
      `${name} is ready`,
      async () => (await this.api("GET", `/api/hosts/${host.hostId}`)).repository_state === "ready",
      30_000,
    );
    return host;
  }

  open(
    host: RealHost,
    { restic, brake, server, options }: Omit<RealAgentOptions, "repository" | "paths">,
  ): void {
    host.agent = openAgent({
      settings: {
        configDir: join(this.folder, host.name, "config"),
        stateDir: join(this.folder, host.name, "state"),
        server: server ?? this.test.url,
        hostId: host.hostId,
        bearer: host.bearer,
        token: undefined,
        certificateAuthority: undefined,
        brake,
        restic,
        logLevel: "debug",
        logFormat: "text",
      },
      log: createLog("debug", (line) => host.logged.push(line)),
      pace: { firstRetryMs: 20, slowestRetryMs: 200 },
      ...options,
    });
  }

  // deno-lint-ignore no-explicit-any
  async api(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.test.api("alice", method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  // deno-lint-ignore no-explicit-any
  async ended(jobId: string): Promise<any> {
    return await eventually(`job ${jobId} ends`, async () => {
      const job = await this.api("GET", `/api/jobs/${jobId}`);
      return job.finished_at !== null && job;
    }, 60_000);
  }

  // deno-lint-ignore no-explicit-any
  async backup(host: RealHost): Promise<any> {
    return await this.ended(
      (await this.api("POST", `/api/hosts/${host.hostId}/jobs`, { kind: "backup" })).job_id,
    );
  }

  /** Says that the host may hold the admin credential of its repository. */
  async name({ repositoryId, hostId }: JoinedHost): Promise<void> {
    await this.api("PUT", `/api/repositories/${repositoryId}/maintenance`, { host_ids: [hostId] });
  }

  // deno-lint-ignore no-explicit-any
  async maintain(repositoryId: string, input: Record<string, unknown>): Promise<any> {
    return await this.ended(
      (await this.api("POST", `/api/repositories/${repositoryId}/jobs`, input)).job_id,
    );
  }

  async texts(jobId: string): Promise<string[]> {
    const text = await this.api("GET", `/api/jobs/${jobId}/log.ndjson`) as string;
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line).text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts) await host.agent.stop();
    await this.test[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
