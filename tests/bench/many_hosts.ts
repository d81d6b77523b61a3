// A server's data folder with many hosts that have been backed up for a month, written straight into the database.
import { join } from "node:path";
import { newId } from "../../shared/new_id.ts";
import { createLog } from "../../server/log.ts";
import { openServer } from "../../server/open.ts";
import { randomSecret, sha256 } from "../../server/random.ts";
import { createRepository } from "../../server/repositories/create.ts";
import { type Server, SYSTEM } from "../../server/server.ts";
import { readSettings } from "../../server/settings.ts";
import { createUser } from "../../server/users/create.ts";
import { startSession } from "../../server/users/sessions.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, type Program, start } from "../support/programs.ts";

const DAY = 86_400_000;

export interface SimulatedHost {
  id: string;
  bearer: string;
  /** A backup that is running. */
  jobId?: string;
}

export class ManyHosts implements AsyncDisposable {
  server: Program | undefined;

  private constructor(
    readonly folder: string,
    readonly url: string,
    readonly hosts: SimulatedHost[],
    private readonly session: string,
  ) {}

  /** `running` of them are in the middle of a backup. */
  static async prepare(count: number, running = 0): Promise<ManyHosts> {
    const folder = await Deno.makeTempDir({ prefix: "rm-bench-" });
    const settings = readSettings((name) => ({ RM_DATA_DIR: folder })[name]);
    const log = createLog("error", () => {});
    const { server, close } = await openServer(settings, { shared: true, log });
    try {
      const user = await createUser(server, SYSTEM, {
        username: "alice",
        role: "admin",
        password: randomSecret(),
      });
      const session = await startSession(server, SYSTEM, user);
      const hosts = await insertHosts(server, count, running);
      return new ManyHosts(folder, `http://127.0.0.1:${freePort()}`, hosts, session);
    } finally {
      await close();
    }
  }

  get database(): string {
    return join(this.folder, "restic-manager.db");
  }

  async start(): Promise<void> {
    this.server = start("server", ["serve"], {
      RM_DATA_DIR: this.folder,
      RM_LISTEN: this.url.replace("http://", ""),
      RM_LOG_LEVEL: "warn",
    });
    await eventually("the server answers", () => this.page("/healthz"), 120_000);
  }

  /** Fetches a page as a signed-in browser; answers the milliseconds until its last byte. */
  async page(path = "/"): Promise<number> {
    const began = performance.now();
    const response = await fetch(this.url + path, {
      headers: { cookie: `rm_session=${this.session}`, accept: "text/html" },
      redirect: "manual",
    });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    return performance.now() - began;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server?.end("SIGKILL");
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function insertHosts(
  server: Server,
  count: number,
  running: number,
): Promise<SimulatedHost[]> {
  const repository = await createRepository(server, SYSTEM, {
    name: "bench",
    url: "/srv/bench",
    password: "a password",
    is_new: false,
  });
  const hosts: SimulatedHost[] = [];
  await server.db.transaction().execute(async (tx) => {
    for (let n = 1; n <= count; n++) {
      const [id, jobId, bearer, now] = [newId(), newId(), randomSecret(), Date.now()];
      const name = `host-${String(n).padStart(4, "0")}.example.org`;
      const isRunning = n <= running;
      const last = now - 3_600_000 - n * 1000;
      await tx.insertInto("hosts").values({
        id,
        name,
        snapshot_host: name,
        bearer_hash: sha256(bearer),
        tags: JSON.stringify(n % 2 ? ["linux", "web"] : ["linux"]),
        time_zone: "UTC",
        repository_id: repository.id,
        repository_ready_at: now - 40 * DAY,
        plan_version: 1,
        applied_plan_version: 1,
        hostname: name,
        os: "linux",
        arch: "x86_64",
        agent_version: "0.1.0",
        restic_version: "0.18.0",
        last_seen_at: now,
        last_backup_job_id: jobId,
        last_backup_at: last,
        last_backup_status: "succeeded",
        last_backup_warnings: 0,
        last_success_at: last,
        snapshots_count: 30,
        snapshots_refreshed_at: last,
        created_at: now - 40 * DAY,
      }).execute();
      await tx.insertInto("jobs").values({
        id: jobId,
        host_id: id,
        repository_id: repository.id,
        kind: "backup",
        status: isRunning ? "running" : "succeeded",
        actor_kind: "user",
        actor_name: "alice",
        source_group_name: "default",
        created_at: last,
        dispatched_at: last,
        started_at: last,
        finished_at: isRunning ? null : last,
        warnings: 0,
      }).execute();
      const today = Math.floor(now / DAY);
      await tx.insertInto("backup_days").values(
        Array.from({ length: 30 }, (_, day) => ({
          host_id: id,
          day: today - day,
          succeeded: (n + day) % 9 ? 1 : 0,
          warned: 0,
          failed: (n + day) % 9 ? 0 : 1,
        })),
      ).execute();
      hosts.push({ id, bearer, ...(isRunning ? { jobId } : {}) });
    }
  });
  return hosts;
}
