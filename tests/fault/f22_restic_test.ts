import assert from "node:assert/strict";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { memoryOf } from "../support/proc.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

const BACKUP = { backup: SUMMARY, snapshots: LISTED };

async function setUp(verbs: Record<string, string> = BACKUP) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder, { verbs });
  const server = stack.use(new FakeServer({ config: { repository: access("/srv/repository") } }));
  const started = await startAgent(server, { directory: folder, restic: restic.path });
  const { agent } = stack.use(started);
  const run = async () => {
    const job_id = jobId();
    server.run({ job_id, source_group: order(["/a"]) });
    return await server.finished(job_id, 60_000);
  };
  return Object.assign(stack.move(), { folder, restic, server, agent, run });
}

fault({
  id: "F22",
  promise: "a restic that is missing, cannot be run or was replaced is asked anew before each job",
  done:
    "between jobs restic is removed, made not executable, replaced by one that is too old, and by another version",
  expected:
    "each job fails with what is wrong and what to do, and the next one with a good restic succeeds with that version",
}, async (see) => {
  await using all = await setUp();
  const { path } = all.restic;
  const expect = async (what: string, code: string | null) => {
    const end = await all.run();
    assert.equal(end.reason_code, code, `${what}: ${end.reason}`);
    see(`${what}: ${end.status} ${end.reason ?? ""}`);
  };
  await expect("as it was", null);
  Deno.removeSync(path);
  await expect("removed", "restic_missing");
  new FakeRestic(all.folder, { verbs: BACKUP });
  Deno.chmodSync(path, 0o600);
  await expect("not executable", "restic_missing");
  new FakeRestic(all.folder, { verbs: BACKUP, version: "0.9.6" });
  await expect("too old", "restic_too_old");
  new FakeRestic(all.folder, { verbs: BACKUP, version: "0.16.4" });
  await expect("another version", null);
  assert.equal(all.server.of("job.started").at(-1)!.restic_version, "0.16.4");
});

const CODES = [0, 1, 2, 3, 10, 11, 12, 77, 130, 137, 141, 143, 255];

fault({
  id: "F56",
  promise: "only what restic calls done, with a snapshot, has succeeded",
  done: `restic ends with ${CODES.join(", ")}, each with and without a summary`,
  expected:
    "0 with a summary succeeded, 3 with one is a warning, everything else failed with its reason",
}, async (see) => {
  await using all = await setUp();
  const seen: string[] = [];
  for (const code of CODES) {
    for (const summary of [SUMMARY, ":"]) {
      new FakeRestic(all.folder, {
        verbs: { backup: `${summary}; exit ${code}`, snapshots: LISTED },
      });
      const end = await all.run();
      const isGood = summary === SUMMARY && (code === 0 || code === 3);
      assert.equal(
        end.status,
        isGood ? "succeeded" : "failed",
        `${code} ${summary}: ${end.reason}`,
      );
      assert.equal(end.warnings, isGood && code === 3 ? 1 : 0);
      if (!isGood) assert.ok(end.reason && end.reason_code);
      seen.push(`${code}${summary === SUMMARY ? " with" : ""} ${end.reason_code ?? end.status}`);
    }
  }
  see(seen.join(", "));
});

fault({
  id: "F65",
  promise: "whatever restic prints, the log is bounded, whole and in order",
  done:
    "a line of 1 MB, CRLF, half a character, NUL, escape sequences, 3,000 status lines at once, no line break at the end",
  expected:
    "the long line is cut with a mark, the others are there, statuses are few and no lines, memory stays",
}, async (see) => {
  const status = '{"message_type":"status","percent_done":0.5,"total_files":9,"files_done":4}';
  await using all = await setUp({
    backup: `head -c 1000000 /dev/zero | tr '\\0' x; echo
      printf 'carriage\\r\\n'; printf '\\303'; sleep 0.1; printf '\\244 split\\n'; printf 'nul\\000nul\\n'
      printf '\\033[31mred\\033[0m\\n'; yes '${status}' | head -n 3000
      ${SUMMARY}; printf 'the end'`,
    snapshots: LISTED,
  });
  const before = memoryOf(Deno.pid);
  const end = await all.run();
  assert.equal(end.status, "succeeded", end.reason ?? "");
  const texts = all.server.texts(end.job_id);
  const long = texts.find((text) => text.startsWith("xxx"))!;
  assert.ok(long.length < 66_000 && long.includes("[cut"), `${long.length}`);
  assert.ok(texts.includes("carriage") && texts.includes("ä split") && texts.includes("the end"));
  assert.ok(!texts.some((text) => text.includes("status")));
  const told = all.server.of("job.progress").length;
  assert.ok(told >= 1 && told < 10, `${told}`);
  see(
    `${texts.length} lines; ${told} times progress; memory +${
      Math.round(memoryOf(Deno.pid) - before)
    } MiB`,
  );
});

fault({
  id: "F69",
  promise: "a restic that is killed from outside fails the job and names the signal",
  done: "restic ends by SIGKILL, as the kernel does where memory is short",
  expected:
    "failed as killed, and the lock that it may have left is removed before the next job writes",
}, async (see) => {
  await using all = await setUp({ ...BACKUP, backup: "kill -9 $$" });
  const end = await all.run();
  assert.deepEqual([end.status, end.reason_code], ["failed", "killed"]);
  assert.match(end.reason ?? "", /SIGKILL/);
  assert.ok(all.agent.ledger.mayHoldLock(all.agent.plan.config!.repository!.id));
  new FakeRestic(all.folder, { verbs: BACKUP });
  assert.equal((await all.run()).status, "succeeded");
  const verbs = all.restic.starts.map(({ args }) => args.split(" ")[0]);
  see(`${end.reason} Then: ${verbs.slice(1).join(", ")}`);
  assert.equal(verbs[1], "unlock");
});
