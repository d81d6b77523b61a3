// ./dev demo: the main job on this machine, with real parts. Starts the server, joins this machine through the token
// flow, makes a repository in a folder, backs up this project's folder and follows the job. Everything stays in ./.demo
// and a second run continues with it. --once ends after the backup: 0 when it succeeded.
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { PERMISSIONS } from "./build/compile.ts";
import { install, isOnPath } from "./system_packages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const DEMO = join(ROOT, ".demo");
const LISTEN = Deno.env.get("RM_LISTEN") ?? "127.0.0.1:8080";
const URL_HERE = `http://${LISTEN.replace(/^(0\.0\.0\.0|\[::\])?:/, "127.0.0.1:")}`;
const USER = "demo";
const START_WITHIN = 60_000;

/** Something is missing or went wrong that the reader can mend; the message is a sentence for them. */
class DemoError extends Error {}

const children: Deno.ChildProcess[] = [];

async function demo(once: boolean): Promise<number> {
  await needRestic();
  await Deno.mkdir(DEMO, { recursive: true });
  say(`Starting the server on ${LISTEN}; its data is in ${DEMO}`);
  const password = await admin();
  const server = program("server", ["serve"]);
  await until(
    "The server did not start",
    server,
    async () => (await fetch(`${URL_HERE}/healthz`)).ok,
  );
  const token = (await output("server", ["token", "create", "--user", USER, "--name", "demo"]))
    .trim();
  const api = client(token);

  const host = await joinThisMachine(api);
  say(`Backing up ${ROOT} as host ${host.name}`);
  const { job_id } = await api("POST", `/api/hosts/${host.id}/jobs`, { kind: "backup" }) as {
    job_id: string;
  };
  const job = await follow(token, job_id);
  const ok = report(job);
  if (once) return ok ? 0 : 1;
  console.log(`
  Open      ${URL_HERE}/jobs/${job_id}
  Sign in   ${USER}
  Password  ${password}

Ctrl-C ends the server and the agent.`);
  await stopSignal();
  say("Stopping");
  return ok ? 0 : 1;
}

async function needRestic(): Promise<void> {
  if (Deno.env.get("RM_RESTIC") || await isOnPath("restic")) return;
  say("restic is not on this machine; installing it");
  if (await install(["restic"]) && await isOnPath("restic")) return;
  throw new DemoError(
    "restic is needed and could not be installed. Get it from https://restic.readthedocs.io/en/stable/020_installation.html and run this again.",
  );
}

/** The demo's admin, with a password that is new each time. */
async function admin(): Promise<string> {
  const first = !await exists(join(DEMO, "server", "restic-manager.db"));
  const printed = first
    ? await output("server", ["user", "add", USER, "--role", "admin"])
    : await output("server", ["user", "reset-password", USER]).catch(() =>
      output("server", ["user", "add", USER, "--role", "admin"])
    );
  return printed.trim().split("\n").at(-1)!;
}

interface Host {
  id: string;
  name: string;
  online: boolean;
  repository_state: string;
  repository_job_id: string | null;
}

/** This machine as a host that is ready to be backed up: joined now, or in an earlier run. */
async function joinThisMachine(api: Api): Promise<Host> {
  const known = (await api("GET", "/api/hosts") as { items: Host[] }).items[0];
  const enrolled = await exists(join(DEMO, "agent", "config", "agent.yaml"));
  const agent = known && enrolled ? program("agent", ["run"]) : await joinNow(api);
  const find = async () =>
    (await api("GET", "/api/hosts") as { items: Host[] }).items.find((host) => host.online);
  const host = await until("The agent did not connect", agent, find);
  return await until("The repository was not made", agent, async () => {
    const now = await api("GET", `/api/hosts/${host.id}`) as Host;
    if (now.repository_state === "failed") {
      const job = await api("GET", `/api/jobs/${now.repository_job_id}`) as Job;
      throw new DemoError(`The repository could not be made or opened: ${job.reason}`);
    }
    return now.repository_state === "ready" && now;
  });
}

async function joinNow(api: Api): Promise<Deno.ChildProcess> {
  const hostname = Deno.hostname().replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[._-]+/, "") ||
    "this-machine";
  say(`Joining this machine as ${hostname} with a one-time token`);
  const made = await api("POST", "/api/enrollment-tokens", {
    hostname,
    tags: ["demo"],
    initial_paths: [ROOT],
    repository: { name: "demo", url: join(DEMO, "repository"), is_new: true },
  }) as { token: string };
  const agent = program("agent", ["run"], { RM_TOKEN: made.token });
  const host = await until(
    "This machine did not join",
    agent,
    async () => (await api("GET", "/api/hosts") as { items: Host[] }).items[0],
  );
  const groups = await api("GET", `/api/hosts/${host.id}/source-groups`) as {
    items: { id: string; name: string }[];
  };
  const group = groups.items[0]!;
  await api("PUT", `/api/hosts/${host.id}/source-groups/${group.id}`, {
    name: group.name,
    includes: [ROOT],
    excludes: [DEMO],
    retention: { keep_last: 7, keep_daily: 14 },
  });
  return agent;
}

// ---- the job

interface Job {
  status: string;
  reason: string | null;
  summary: {
    files_new: number;
    files_changed: number;
    files_unmodified: number;
    bytes_processed: number;
    bytes_added: number;
    seconds: number;
    snapshot_id?: string;
  } | null;
  progress: { percent: number; files_done: number; bytes_done: number } | null;
}

/** Shows lines and progress as they come, and answers the job as it ended. */
async function follow(token: string, id: string): Promise<Job> {
  const response = await fetch(`${URL_HERE}/api/jobs/${id}/stream`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok || !response.body) {
    throw new DemoError(`The job cannot be followed: ${response.status}`);
  }
  let rest = "";
  let job: Job | undefined;
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split("\n\n");
    rest = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (!data || event.startsWith("event: end")) continue;
      const value = JSON.parse(data);
      if (event.startsWith("event: job")) {
        job = value as Job;
        if (job.progress) progress(job.progress);
      } else console.log(`  ${String(value.n).padStart(4)}  ${value.text}`);
    }
  }
  if (!job) throw new DemoError("The server ended the stream before the job was over.");
  return job;
}

function progress({ percent, files_done, bytes_done }: NonNullable<Job["progress"]>): void {
  console.log(
    `  ${percent.toFixed(0).padStart(3)} %  ${files_done} files, ${mebibytes(bytes_done)}`,
  );
}

function report(job: Job): boolean {
  const { summary } = job;
  console.log(`\nThe backup ${job.status}${job.reason ? `: ${job.reason}` : "."}`);
  if (summary) {
    console.log(`  files     ${summary.files_new + summary.files_changed + summary.files_unmodified}
  bytes     ${summary.bytes_processed} (${mebibytes(summary.bytes_added)} added)
  seconds   ${summary.seconds.toFixed(1)}
  snapshot  ${summary.snapshot_id ?? "-"}`);
  }
  return job.status === "succeeded";
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

// ---- the two programs

function command(
  name: keyof typeof PERMISSIONS,
  args: string[],
  env: Record<string, string>,
  stdout: "inherit" | "piped",
) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...PERMISSIONS[name], join(ROOT, name, "main.ts"), ...args],
    cwd: ROOT,
    stdin: "null",
    stdout,
    stderr: "inherit",
    // Its own process group on Linux: Ctrl-C reaches this program alone, which then ends the two in order.
    detached: Deno.build.os !== "windows",
    env: {
      RM_LISTEN: LISTEN,
      RM_DATA_DIR: join(DEMO, "server"),
      RM_SERVER: URL_HERE,
      RM_CONFIG_DIR: join(DEMO, "agent", "config"),
      RM_STATE_DIR: join(DEMO, "agent", "state"),
      RM_LOG_LEVEL: "warn",
      ...env,
    },
  }).spawn();
}

function program(name: keyof typeof PERMISSIONS, args: string[], env: Record<string, string> = {}) {
  const child = command(name, args, env, "inherit");
  children.unshift(child);
  return child;
}

async function output(name: keyof typeof PERMISSIONS, args: string[]): Promise<string> {
  const child = command(name, args, {}, "piped");
  const { success, stdout } = await child.output();
  if (!success) throw new DemoError(`restic-manager-${name} ${args.join(" ")} failed.`);
  return new TextDecoder().decode(stdout);
}

async function stopAll(): Promise<void> {
  for (const child of children) {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await child.status;
  }
}

// ---- small things

type Api = (method: string, path: string, body?: unknown) => Promise<unknown>;

function client(token: string): Api {
  return async (method, path, body) => {
    const response = await fetch(URL_HERE + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new DemoError(`${method} ${path}: ${answer.error.message}`);
    return answer;
  };
}

/** Asks again until the answer is something; gives up when the program ends or a minute has passed. */
async function until<T>(
  failure: string,
  child: Deno.ChildProcess,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  let ended: Deno.CommandStatus | undefined;
  child.status.then((status) => ended = status);
  const deadline = Date.now() + START_WITHIN;
  while (Date.now() < deadline) {
    if (ended) throw new DemoError(`${failure}: it ended with code ${ended.code}.`);
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      // Not listening yet.
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new DemoError(`${failure} within a minute.`);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve());
    }
  });
}

function exists(file: string): Promise<boolean> {
  return Deno.stat(file).then(() => true, () => false);
}

function say(text: string): void {
  console.log(`» ${text}`);
}

if (import.meta.main) {
  const { values } = parseArgs({ args: Deno.args, options: { once: { type: "boolean" } } });
  // Before anything is up, and while it comes up: nothing that was started stays behind.
  const early = async () => {
    await stopAll();
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", early);
  let code = 1;
  try {
    code = await demo(values.once ?? false);
  } catch (error) {
    console.error(error instanceof DemoError ? `\n${error.message}` : error);
  }
  Deno.removeSignalListener("SIGINT", early);
  await stopAll();
  Deno.exit(code);
}
