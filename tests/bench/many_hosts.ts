// A server's data folder with many hosts that have been backed up for a month, written straight into the database.
import { join } from "node:path";
import { createLog } from "../../shared/log.ts";
import { openServer } from "../../server/open.ts";
import { randomSecret } from "../../server/random.ts";
import { SYSTEM } from "../../server/server.ts";
import { readSettings } from "../../server/settings.ts";
import { createUser } from "../../server/users/create.ts";
import { startSession } from "../../server/users/sessions.ts";
import { eventually } from "../support/eventually.ts";
import { insertHosts, type SimulatedHost } from "./insert_hosts.ts";
import { freePort, type Program, start } from "../support/programs.ts";

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
      return new ManyHosts(folder, `http://127.0.0.1:${freePort()}`, hosts, session!);
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

  /** Fetches a page as a signed-in browser; returns the milliseconds until its last byte. */
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
