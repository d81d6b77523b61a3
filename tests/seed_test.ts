import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { eventually } from "./support/eventually.ts";
import { runOnce } from "./support/programs.ts";
import { startServer } from "./support/start_server.ts";
import { wholeFleet } from "./support/whole_fleet.ts";

const SEED = fileURLToPath(new URL("seed.ts", import.meta.url));

async function seed(args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SEED, ...args],
    env,
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Every file below a folder with its bytes and when it was changed. */
function contentOf(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return contentOf(path);
    const { mtime, size } = Deno.statSync(path);
    return [`${path} ${size} ${mtime?.toISOString()} ${Deno.readFileSync(path).toHex()}`];
  }).sort();
}

Deno.test("--once fills, opens the dashboard and ends; it touches no folder that is named, and leaves none", async () => {
  const folder = await Deno.makeTempDir({ prefix: "rm-seed-test-" });
  try {
    const real = { RM_DATA_DIR: join(folder, "data") };
    const made = await runOnce("server", ["user", "add", "root", "--role", "admin"], real);
    assert.equal(made.code, 0, made.stderr);
    const before = contentOf(folder);
    assert.ok(before.length > 1);
    const named = { RM_CONFIG_DIR: folder, RM_STATE_DIR: folder, RM_SECRET_KEY_FILE: SEED };
    const temporary = join(folder, "temporary");
    await Deno.mkdir(temporary);
    const env = { ...real, ...named, RM_DATA_DIR_FILE: SEED, TMPDIR: temporary };
    const { code, stdout, stderr } = await seed(["--once"], env);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /The dashboard shows 13 hosts\./);
    assert.deepEqual([...Deno.readDirSync(temporary)], []);
    assert.deepEqual(contentOf(folder), before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("known passwords are offered to this machine alone, and what is wrong is a sentence", async () => {
  for (const listen of ["0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "8080"]) {
    const { code, stdout, stderr } = await seed(["--once"], { RM_LISTEN: listen });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^RM_LISTEN is ".*", but must be .*\n$/);
  }
  const { code, stderr } = await seed(["--twice"], {});
  assert.equal(code, 1);
  assert.match(stderr, /--twice/);
});

Deno.test("the fleet has hosts in every state, what waits for a person, and a job of every end", async () => {
  await using server = await startServer();
  await using _fleet = await wholeFleet(server);
  const list = async (path: string) => (await server.api("alice", "GET", path)).body.items;
  const hosts = await list("/api/hosts?limit=100");
  const states = new Set(hosts.map(({ state }: { state: string }) => state));
  assert.deepEqual([...states].sort(), ["bad", "off", "ok", "run", "warn"]);
  const codes = hosts.flatMap((host: { problem_details: { code: string }[] }) =>
    host.problem_details.map(({ code }) => code)
  );
  for (
    const code of ["two_machines", "on_hold", "backup_overdue", "backup_failed", "restic_missing"]
  ) assert.ok(codes.includes(code), `${code} is not among ${codes}`);
  assert.ok((await list("/api/pending-hosts")).length >= 2);
  const jobs = await list("/api/jobs?limit=100");
  for (const status of ["running", "succeeded", "failed", "interrupted"]) {
    assert.ok(jobs.some((job: { status: string }) => job.status === status), status);
  }
  const users = await list("/api/users");
  const roles = users.map(({ role }: { role: string }) => role).sort();
  assert.deepEqual(roles, ["admin", "operator", "viewer"]);
});

Deno.test("a host of the fleet does what is clicked: a backup, a cancel, a look into a folder", async () => {
  await using server = await startServer();
  await using fleet = await wholeFleet(server);
  const host = fleet.small.hosts.find(({ name }) => name === "web-01")!;
  const path = `/api/hosts/${host.id}`;
  const run = async () =>
    (await server.api("olive", "POST", `${path}/jobs`, { kind: "backup" })).body.job_id as string;
  const statusOf = async (id: string) =>
    (await server.api("olive", "GET", `/api/jobs/${id}`)).body.status;
  const done = await run();
  await eventually("the backup ends", async () => await statusOf(done) === "succeeded");
  const ended = await run();
  await eventually("the backup runs", async () => await statusOf(ended) === "running");
  await server.api("olive", "POST", `/api/jobs/${ended}/cancel`);
  await eventually("it is cancelled", async () => await statusOf(ended) === "cancelled");
  const { body } = await server.api("alice", "GET", `${path}/folders?path=/`);
  assert.ok(body.items.some(({ name }: { name: string }) => name === "home"), JSON.stringify(body));
});
