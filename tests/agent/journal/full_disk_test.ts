// A state directory on a disk that is full. Needs a small file system of its own, so it is left out where none can be made.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../../support/fake_restic.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { missingNamespace, testUnless } from "../../support/left_out.ts";
import { access, jobId, order, startAgent, testFolder } from "../../support/start_agent.ts";

const SMALL = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];

function smallDisk(at: string): Disposable {
  Deno.mkdirSync(at);
  const run = (program: string, ...args: string[]) =>
    new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  assert.ok(run("mount", ...SMALL, at));
  return { [Symbol.dispose]: () => run("umount", at) };
}

const missing = missingNamespace(["--mount"], `mount ${SMALL.join(" ")} /mnt`);
testUnless(
  missing,
  "with a full disk the job goes on, lines are dropped with a mark, and its result is told",
  async () => {
    using folder = testFolder();
    using _disk = smallDisk(join(folder.path, "state"));
    const restic = new FakeRestic(folder.path, {
      verbs: { backup: `seq -f 'line %.0f' 200000; ${SUMMARY}`, snapshots: LISTED },
    });
    const config = { repository: access("/srv/repository") };
    const first = new FakeServer({ config });
    const port = Number(new URL(first.url).port);
    await using started = await startAgent(first, {
      directory: folder.path,
      restic: restic.path,
      journal: { memoryBytes: 500_000 },
    });
    const id = jobId();
    // Nobody takes anything off the journal while it fills.
    first.acknowledges = false;
    first.run({ job_id: id, source_group: order(["/a"]) });
    await eventually("it has begun", () => restic.starts.length > 0);
    await first[Symbol.asyncDispose]();
    await eventually("it has ended", () => started.agent.journal.unacknowledgedEnds.includes(id));
    await using second = new FakeServer({ config, port });
    const end = await second.finished(id);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.match(started.logged.join(""), /cannot be written \(reports for the server\)/);
    const texts = second.texts(id);
    const dropped = texts.map((text) => Number(/^\[(\d+) lines were dropped/.exec(text)?.[1] ?? 0))
      .reduce((sum, count) => sum + count, 0);
    const marks = texts.filter((text) => text.startsWith("[")).length;
    assert.ok(dropped > 0);
    const told = new Set(
      first.of("log.stream").concat(second.of("log.stream")).flatMap(({ first_line, lines }) =>
        lines.filter(({ text }) => !text.startsWith("[")).map((_, index) => first_line + index)
      ),
    );
    const last = Math.max(...second.lines(id).keys());
    assert.ok(told.size + dropped >= last, `${told.size} told, ${dropped} dropped, ${marks} marks`);
  },
);
