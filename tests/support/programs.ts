// The two programs as real processes with their own folders, for tests in which either side is killed: from source, or as
// compiled by `deno task build`, from another folder, with an empty environment, the server as nobody.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../../deploy/build/compile.ts";
import { eventually } from "./eventually.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BENT_CLOCK = fileURLToPath(new URL("bent_clock.ts", import.meta.url));
/** The folder that holds restic-manager-server and restic-manager-agent; undefined runs them from source. */
let compiled = Deno.env.get("RM_TEST_PROGRAMS");

/** From here on start() and runOnce() take the programs in this folder. */
export function useCompiled(folder: string): void {
  compiled = folder;
}

export interface Program extends AsyncDisposable {
  pid: number;
  /** All that it printed so far, both streams. */
  printed(): string;
  /** Resolves with the exit code when it ends by itself. */
  ended: Promise<number>;
  /** Ends it with this signal and waits; returns the exit code. */
  end(signal?: Deno.Signal): Promise<number>;
}

const NOBODY = 65_534;

/** A program, ready for Deno.Command. */
export function command(
  name: "server" | "agent",
  args: string[],
  env: Record<string, string>,
): [program: string, options: Deno.CommandOptions] {
  if (!compiled) {
    const main = join(ROOT, name, "main.ts");
    // RM_TEST_CLOCK names the file that says how far its wall clock is ahead.
    const bent = env.RM_TEST_CLOCK ? ["--preload", BENT_CLOCK] : [];
    return [Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", ...bent, ...PERMISSIONS[name], main, ...args],
      env,
    }];
  }
  const options = { args, env, clearEnv: true, cwd: "/" };
  const program = join(compiled, `restic-manager-${name}`);
  if (name === "agent" || Deno.uid() !== 0) return [program, options];
  if (env.RM_DATA_DIR) giveToNobody(env.RM_DATA_DIR);
  return [program, { ...options, uid: NOBODY, gid: NOBODY }];
}

/** The data folder with what a test put into it; where there is none yet, the right to make it. */
function giveToNobody(dataDir: string): void {
  // The test's own folder.
  Deno.chmodSync(dirname(dataDir), 0o777);
  if (!isThere(dataDir)) return;
  Deno.chownSync(dataDir, NOBODY, NOBODY);
  for (const { name } of Deno.readDirSync(dataDir)) {
    Deno.chownSync(join(dataDir, name), NOBODY, NOBODY);
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Starts a program; `under` is a command before it that replaces itself by it, such as strace. */
export function start(
  name: "server" | "agent",
  args: string[],
  env: Record<string, string>,
  under: string[] = [],
): Program {
  const [program, options] = command(name, args, { RM_LOG_LEVEL: "debug", ...env });
  const [first = program, ...rest] = under.length > 0 ? [...under, program] : [];
  const child = new Deno.Command(first, {
    ...options,
    args: [...rest, ...options.args ?? []],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) text += part;
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  const end = async (signal: Deno.Signal = "SIGTERM") => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
    const { code } = await child.status;
    await reading;
    return code;
  };
  return {
    pid: child.pid,
    printed: () => text,
    ended: child.status.then(({ code }) => code),
    end,
    [Symbol.asyncDispose]: async () => {
      await end("SIGKILL");
    },
  };
}

/** Runs a subcommand to its end. */
export async function runOnce(
  name: "server" | "agent",
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program, options] = command(name, args, env);
  const { code, stdout, stderr } = await new Deno.Command(program, { ...options, stdin: "null" })
    .output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** A fleet in one temporary folder: a server that can be killed and started again on the same port, and its agents. */
export class Fleet implements AsyncDisposable {
  server!: Program;
  /** Where its data is. */
  dataDir: string;
  #agents = new Map<string, Program>();

  private constructor(
    readonly folder: string,
    readonly url: string,
    private token: string,
    private readonly env: Record<string, string>,
  ) {
    this.dataDir = env.RM_DATA_DIR ?? join(folder, "server");
  }

  /** `env`: of the server, beside where it listens. */
  static async start(env: Record<string, string> = {}): Promise<Fleet> {
    const folder = await Deno.makeTempDir({ prefix: "rm-fleet-" });
    const fleet = new Fleet(folder, `http://127.0.0.1:${freePort()}`, "", env);
    await runOnce("server", ["user", "add", "alice", "--role", "admin"], fleet.#serverEnv);
    const made = await runOnce("server", ["token", "create", "--user", "alice"], fleet.#serverEnv);
    fleet.token = made.stdout.trim();
    await fleet.startServer();
    return fleet;
  }

  get #serverEnv(): Record<string, string> {
    return {
      RM_DATA_DIR: this.dataDir,
      RM_LISTEN: this.url.replace("http://", ""),
      ...this.env,
    };
  }

  /** After alice's password was reset, which ends her tokens. */
  async renewToken(): Promise<void> {
    const made = await runOnce("server", ["token", "create", "--user", "alice"], this.#serverEnv);
    this.token = made.stdout.trim();
  }

  /** A new user; returns a token of his. */
  async newUser(name: string, role: string): Promise<string> {
    await runOnce("server", ["user", "add", name, "--role", role], this.#serverEnv);
    const made = await runOnce("server", ["token", "create", "--user", name], this.#serverEnv);
    return made.stdout.trim();
  }

  async startServer(): Promise<void> {
    this.server = start("server", ["serve"], this.#serverEnv);
    await eventually("the server answers", async () => {
      const response = await fetch(`${this.url}/healthz`);
      await response.body?.cancel();
      return response.ok;
    });
  }

  // deno-lint-ignore no-explicit-any
  async api(method: string, path: string, body?: unknown): Promise<any> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return response.headers.get("content-type")?.startsWith("application/json")
      ? JSON.parse(text)
      : text;
  }

  /** An answer whose body is still to come. */
  open(path: string): Promise<Response> {
    return fetch(this.url + path, { headers: { authorization: `Bearer ${this.token}` } });
  }

  /** Joins a machine by token and waits until its repository is ready. */
  async join(
    name: string,
    repository: Record<string, unknown>,
    paths: string[],
    env: Record<string, string> = {},
  ): Promise<string> {
    const made = await this.api("POST", "/api/enrollment-tokens", {
      hostname: name,
      initial_paths: paths,
      ...("id" in repository ? { repository_id: repository.id } : { repository }),
    });
    this.startAgent(name, { ...env, RM_TOKEN: made.token });
    const host = await eventually(`${name} joins`, async () => {
      const { items } = await this.api("GET", `/api/hosts?search=${name}`);
      return items.find((each: { name: string; online: boolean }) =>
        each.name === name && each.online
      );
    }, 60_000);
    return host.id;
  }

  startAgent(name: string, env: Record<string, string> = {}): Program {
    const agent = start("agent", ["run"], {
      RM_SERVER: this.url,
      RM_CONFIG_DIR: join(this.folder, name, "config"),
      RM_STATE_DIR: join(this.folder, name, "state"),
      ...env,
    });
    this.#agents.set(name, agent);
    return agent;
  }

  agent(name: string): Program {
    return this.#agents.get(name)!;
  }

  async repositoryReady(hostId: string): Promise<void> {
    await eventually("the repository is ready", async () => {
      const { repository_state } = await this.api("GET", `/api/hosts/${hostId}`);
      if (repository_state === "failed") throw new Error("init failed");
      return repository_state === "ready";
    }, 60_000);
  }

  async run(hostId: string, input: Record<string, unknown> = { kind: "backup" }): Promise<string> {
    return (await this.api("POST", `/api/hosts/${hostId}/jobs`, input)).job_id;
  }

  // deno-lint-ignore no-explicit-any
  async jobIs(id: string, ...statuses: string[]): Promise<any> {
    return await eventually(`the job is ${statuses.join(" or ")}`, async () => {
      const job = await this.api("GET", `/api/jobs/${id}`);
      return statuses.includes(job.status) && job;
    }, 90_000);
  }

  async lines(id: string): Promise<{ n: number; stream: string; text: string }[]> {
    const text = await this.api("GET", `/api/jobs/${id}/log.ndjson`) as string;
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) await agent.end("SIGTERM");
    await this.server.end("SIGTERM");
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Files that do not compress, so that a limit on the upload decides how long a backup takes. */
export async function randomFiles(folder: string, count: number, bytes: number): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const piece = new Uint8Array(bytes);
  for (let n = 0; n < count; n++) {
    for (let at = 0; at < bytes; at += 65_536) {
      crypto.getRandomValues(piece.subarray(at, Math.min(at + 65_536, bytes)));
    }
    await Deno.writeFile(join(folder, `file-${n}`), piece);
  }
}
