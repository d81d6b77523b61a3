// The real server in this process: its own data folder, any free port, a clock that tests may set.
import { join } from "node:path";
import { openDatabase } from "../../server/database/open.ts";
import { createLog } from "../../shared/log.ts";
import { serve, type Serving } from "../../server/serve.ts";
import { readSettings } from "../../server/settings.ts";
import { createUser } from "../../server/users/create.ts";
import { createToken } from "../../server/users/tokens.ts";
import { type Actor, SYSTEM } from "../../server/server.ts";
import type { Role } from "../../server/database/tables.ts";
import { createCheckedApp } from "./checked_app.ts";
import { TestClock } from "./test_clock.ts";
import type { User } from "../../shared/shapes/user.ts";

/** The people of every test: an admin, an operator, a viewer. Mallory has no account. */
export const CAST: Record<"alice" | "olive" | "victor", Role> = {
  alice: "admin",
  olive: "operator",
  victor: "viewer",
};
export type Person = keyof typeof CAST;
export const PASSWORD = "correct horse battery staple";

export interface TestServer extends Serving {
  dataDir: string;
  /** What the server logged. */
  logged: string[];
  clock: TestClock;
  users: Record<Person, User>;
  tokens: Record<Person, string>;
  actor(person: Person): Actor;
  /** Calls the API as someone; returns status and body. */
  api(
    person: Person | null,
    method: string,
    path: string,
    body?: unknown,
    // deno-lint-ignore no-explicit-any
  ): Promise<{ status: number; body: any; headers: Headers }>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DATABASE = "restic-manager.db";

export interface StartOptions {
  dataDir?: string;
  port?: number;
  /** Argon2id as in production instead of a cheap one. */
  realHashes?: boolean;
  people?: boolean;
  /** Nothing happens by the clock: the test does it. */
  still?: boolean;
  /** Of an earlier run of the same server. */
  clock?: TestClock;
  env?: Record<string, string>;
}

export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? await newDataDir();
  const env: Record<string, string> = {
    RM_LISTEN: `127.0.0.1:${options.port ?? 0}`,
    RM_DATA_DIR: dataDir,
    ...options.env,
  };
  const logged: string[] = [];
  const clock = options.clock ?? new TestClock();
  const faults: string[] = [];
  const note = (fault: string) => {
    faults.push(fault);
    // Where a test fails by itself too, this would be lost in a SuppressedError.
    console.error(fault);
  };
  const serving = await serve(readSettings((name) => env[name]), {
    time: clock,
    createApp: (server) => createCheckedApp(server, note),
    ...(options.still ? { tasks: [] } : {}),
    log: createLog("debug", (line) => logged.push(line.replace(/\n$/, ""))),
    hashCost: options.realHashes ? undefined : { memoryKib: 64, iterations: 1 },
  });
  const { server, url } = serving;
  const stop = async () => {
    await serving.stop();
    const [fault] = faults.splice(0);
    if (fault) throw new Error(`An answer is not as its route says: ${fault}`);
  };
  clock.onStep = () => server.clock.ran();
  const users = {} as TestServer["users"];
  const tokens = {} as TestServer["tokens"];
  if (options.people !== false) {
    for (const [name, role] of Object.entries(CAST) as [Person, Role][]) {
      users[name] = await createUser(server, SYSTEM, { username: name, role, password: PASSWORD });
      tokens[name] = (await createToken(server, SYSTEM, users[name], { name: "test" })).token;
    }
  }
  return {
    ...serving,
    stop,
    dataDir,
    logged,
    clock,
    users,
    tokens,
    actor: (person) => ({
      kind: "user",
      id: users[person].id,
      name: person,
      address: "127.0.0.1",
      role: CAST[person],
    }),
    async api(person, method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(person ? { Authorization: `Bearer ${tokens[person]}` } : {}),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        redirect: "manual",
      });
      const text = await response.text();
      const json = response.headers.get("content-type")?.startsWith("application/json") ?? false;
      return {
        status: response.status,
        headers: response.headers,
        body: json ? JSON.parse(text) : text,
      };
    },
    async [Symbol.asyncDispose]() {
      try {
        await stop();
      } finally {
        if (!options.dataDir) await Deno.remove(dataDir, { recursive: true });
      }
    },
  };
}

/** Tables and nothing in them, made once a process: the migrations take longer than most tests. */
let emptyDatabase: Promise<Uint8Array> | undefined;

async function newDataDir(): Promise<string> {
  emptyDatabase ??= makeEmptyDatabase();
  const dataDir = await Deno.makeTempDir({ prefix: "rm-server-" });
  await Deno.writeFile(join(dataDir, DATABASE), await emptyDatabase, { mode: 0o600 });
  return dataDir;
}

async function makeEmptyDatabase(): Promise<Uint8Array> {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-empty-" });
  const { close } = await openDatabase(dataDir);
  await close();
  const bytes = await Deno.readFile(join(dataDir, DATABASE));
  await Deno.remove(dataDir, { recursive: true });
  return bytes;
}
