// Unlock as a job, with the real restics and locks of other machines (a name of their own by their own UTS namespace).
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockInWords } from "../../../agent/restic/lock_words.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { missingNamespace, testUnless } from "../../support/left_out.ts";
import { placeRepository, type RealRestic, restics } from "../../support/restic.ts";
import { access, jobId, startAgent, testFolder } from "../../support/start_agent.ts";

interface Holder extends AsyncDisposable {
  child: Deno.ChildProcess;
}

async function setUp(restic: RealRestic) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const repository = join(folder, "repository");
  await placeRepository(restic, repository);
  const server = stack.use(new FakeServer({ config: { repository: access(repository) } }));
  stack.use(await startAgent(server, { directory: folder, restic: restic.path }));
  // A lock that is being written has another name.
  const files = () =>
    [...Deno.readDirSync(join(repository, "locks"))].map(({ name }) => name)
      .filter((name) => /^[0-9a-f]{64}$/.test(name));
  /** A backup on a machine of that name, which waits for its input. */
  const hold = async (hostname: string): Promise<Holder> => {
    const before = files().length;
    const child = new Deno.Command("unshare", {
      args: [
        "--uts",
        "sh",
        "-c",
        `hostname ${hostname} && exec "$0" backup --stdin`,
        restic.path,
      ],
      env: { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "secret-of-the-repository" },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await eventually(`${hostname} holds a lock`, () => files().length > before);
    const end = async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.stdin.close().catch(() => {});
      await child.status;
    };
    return { child, [Symbol.asyncDispose]: end };
  };
  const run = async (order: Partial<Parameters<FakeServer["run"]>[0]> = {}) => {
    const job_id = jobId();
    server.run({ job_id, kind: "unlock", ...order });
    const end = await server.finished(job_id);
    return { end, texts: server.texts(job_id), listed: server.of("repo.locks").at(-1)?.locks };
  };
  return Object.assign(stack.move(), { folder, repository, server, run, hold, files });
}

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    testUnless(
      missingNamespace(["--uts"], ":"),
      `${name} (restic ${restic.version})`,
      () => test(restic),
    );
  }
}

each(
  "an unlock that leaves a lock says whose and how old, and fails; one without locks succeeds",
  async (restic) => {
    await using all = await setUp(restic);
    const none = await all.run();
    assert.deepEqual([none.end.status, none.end.reason], ["succeeded", "There was no lock."]);
    await using holder = await all.hold("db-01");
    const left = await all.run();
    assert.deepEqual([left.end.status, left.end.reason_code], ["failed", "locked"]);
    assert.match(
      left.end.reason!,
      /^1 lock left: shared lock of \w+ on db-01 \(process \d+\), \d+ s old\.$/,
    );
    assert.deepEqual(left.listed?.map(({ hostname }) => hostname), ["db-01"]);
    // What its own machine knows to be dead goes.
    await holder[Symbol.asyncDispose]();
    const still = await all.run();
    assert.equal(still.end.reason_code, "locked", "another machine's process may live");
  },
);

each(
  "a dead process's lock of this machine goes, and the job says whose it was",
  async (restic) => {
    await using all = await setUp(restic);
    const own = await all.hold(Deno.hostname());
    await own[Symbol.asyncDispose]();
    const { end, listed } = await all.run();
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.ok(end.reason!.startsWith("Removed 1 lock: shared lock of "), end.reason!);
    assert.ok(end.reason!.includes(` on ${Deno.hostname()} (process `), end.reason!);
    assert.deepEqual([listed, all.files()], [[], []]);
  },
);

each("every lock goes when its holder's name was typed and no other has come", async (restic) => {
  await using all = await setUp(restic);
  await using _first = await all.hold("db-01");
  const { listed } = await all.run();
  const locks = listed!.map(({ id }) => id);
  const wrong = await all.run({ remove_all: { hostname: "db-02", locks } });
  assert.deepEqual([wrong.end.status, wrong.end.reason_code], ["failed", "locks_changed"]);
  assert.match(wrong.end.reason!, /^Another machine than .* on db-01 .*Nothing was removed\.$/);
  {
    // A newer one of the very same machine.
    await using _newer = await all.hold("db-01");
    const late = await all.run({ remove_all: { hostname: "db-01", locks } });
    assert.equal(late.end.reason_code, "locks_changed");
    assert.match(late.end.reason!, /^A lock has come since .* on db-01 /);
    assert.equal(all.files().length, 2);
    assert.equal(late.listed?.length, 2);
  }
  const now = (await all.run()).listed!.map(({ id }) => id);
  const { end, listed: after } = await all.run({ remove_all: { hostname: "db-01", locks: now } });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.match(end.reason!, /^Removed 2 locks: shared lock of \w+ on db-01 .*; shared lock of/);
  assert.deepEqual([after, all.files()], [[], []]);
});

Deno.test("a lock's age is told by this host's clock, also of one from the future", () => {
  const lock = { id: "0".repeat(64), exclusive: true, hostname: "db", username: null, pid: null };
  const words = (ago: number) => lockInWords({ ...lock, at: 1e12 - ago }, 1e12);
  assert.equal(words(90_000), "exclusive lock of db, 90 s old");
  assert.equal(words(3_600_000), "exclusive lock of db, 60 min old");
  assert.equal(words(5 * 86_400_000), "exclusive lock of db, 5 days old");
  assert.equal(words(-7_200_000), "exclusive lock of db, made 2 h ahead of this host's clock");
});

Deno.test("only the order that names the locks may remove all of them: nothing else in the agent says so", () => {
  const root = fileURLToPath(new URL("../../../agent", import.meta.url));
  const found: string[] = [];
  const look = (folder: string) => {
    for (const entry of Deno.readDirSync(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) look(path);
      else if (/"--remove-all"/.test(Deno.readTextFileSync(path))) found.push(entry.name);
    }
  };
  look(root);
  // The second refuses to run it for any other order.
  assert.deepEqual(found.sort(), ["remove_locks.ts", "run.ts"]);
});
