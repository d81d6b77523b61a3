// The agent inside the test, or as a process of its own, against a fake server.
import { join } from "node:path";
import type { Agent } from "../../agent/agent.ts";
import type { Brake } from "../../agent/brake/brake.ts";
import { createLog } from "../../shared/log.ts";
import { command } from "./programs.ts";
import { eventually } from "./eventually.ts";
import { type FakeServer, REPOSITORY_ID } from "./fake_server.ts";
import { type AgentOptions, openAgent } from "../../agent/open.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

export interface TestAgent extends AsyncDisposable {
  agent: Agent;
  logged: string[];
}

export type TestAgentOptions = Partial<Omit<AgentOptions, "settings">> & {
  directory: string;
  restic?: string;
  /** What the machine's owner allows. */
  brake?: Brake;
};

/** Opens an agent whose state and configuration lie below `directory` and waits until it is accepted. */
export async function startAgent(
  server: FakeServer,
  { directory, restic, brake, ...options }: TestAgentOptions,
): Promise<TestAgent> {
  const logged: string[] = [];
  const agent = openAgent({
    settings: {
      configDir: join(directory, "config"),
      stateDir: join(directory, "state"),
      server: server.url,
      hostId: undefined,
      bearer: "bearer-of-the-test",
      token: undefined,
      certificateAuthority: undefined,
      brake,
      restic,
      logLevel: "debug",
      logFormat: "text",
    },
    log: createLog("debug", (line) => logged.push(line)),
    pace: { firstRetryMs: 20, slowestRetryMs: 200 },
    ...options,
    // What is locked fails at once, unless a test waits for it.
    timeouts: { lockWaitMs: 0, ...options.timeouts },
  });
  await eventually(
    "the agent is accepted",
    () => agent.plan.schedule && agent.connection.isAccepted,
  );
  return { agent, logged, [Symbol.asyncDispose]: () => agent.stop() };
}

/** A repository as the server would tell it to the agent. */
export function access(url: string, more: Partial<RepositoryAccess> = {}): RepositoryAccess {
  return {
    id: REPOSITORY_ID,
    url,
    password: "secret-of-the-repository",
    username: null,
    rest_password: null,
    environment: {},
    ...more,
  };
}

export function order(includes: string[], excludes: string[] = []) {
  return {
    id: "33333333-3333-4333-8333-333333333333",
    name: "documents",
    includes,
    excludes,
  };
}

let jobs = 0;
/** A job id that no other call of this test run gives. */
export function jobId(): string {
  return `44444444-4444-4444-8444-${String(++jobs).padStart(12, "0")}`;
}

export interface AgentProcess extends AsyncDisposable {
  child: Deno.ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** The exit code and everything that was printed. */
  end: () => Promise<{ code: number; stdout: string; stderr: string }>;
}

/** The agent as a program of its own. */
export function spawnAgent(
  directory: string,
  environment: Record<string, string>,
  args: string[] = ["run"],
): AgentProcess {
  const [program, options] = command("agent", args, {
    RM_CONFIG_DIR: join(directory, "config"),
    RM_STATE_DIR: join(directory, "state"),
    RM_LOG_LEVEL: "debug",
    ...environment,
  });
  const child = new Deno.Command(program, {
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const text = { stdout: "", stderr: "" };
  const read = Promise.all((["stdout", "stderr"] as const).map(async (name) => {
    for await (const part of child[name].pipeThrough(new TextDecoderStream())) text[name] += part;
  }));
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    end: async () => {
      const { code } = await child.status;
      await read;
      return { code, ...text };
    },
    [Symbol.asyncDispose]: async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
      await read;
    },
  };
}

/** A folder of the test's own, removed afterwards. */
export function testFolder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "rm-agent-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}
