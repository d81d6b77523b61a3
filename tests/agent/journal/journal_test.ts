import assert from "node:assert/strict";
import { join } from "node:path";
import { Journal, type JournalOptions } from "../../../agent/journal/journal.ts";
import { createLog } from "../../../shared/log.ts";
import type { LogStream, Report } from "../../../shared/protocol.ts";
import { jobId, testFolder } from "../../support/start_agent.ts";

const silent = createLog("error", () => {});

function open(directory: string, options: Partial<JournalOptions> = {}): Journal & Disposable {
  const journal = Journal.open(directory, { log: silent, ...options });
  return Object.assign(journal, { [Symbol.dispose]: () => journal.close() });
}

function addLines(journal: Journal, job: string, first: number, count = 10, text = "line"): number {
  const lines = Array.from({ length: count }, (_, i) => ({
    at: 1,
    stream: "stdout" as const,
    text: `${text} ${first + i}`,
  }));
  return journal.append({ type: "log.stream", job_id: job, first_line: first, lines });
}

function addEnd(journal: Journal, job: string): number {
  return journal.append({
    type: "job.finished",
    job_id: job,
    at: 2,
    status: "succeeded",
    exit_code: 0,
    reason: null,
    reason_code: null,
    warnings: 0,
    summary: null,
  });
}

function all(journal: Journal): Report[] {
  const reports: Report[] = [];
  for (let entry = journal.after(0); entry; entry = journal.after(entry.seq)) {
    reports.push(JSON.parse(entry.text));
  }
  return reports;
}

function segments(directory: string): string[] {
  return [...Deno.readDirSync(join(directory, "journal"))].map(({ name }) => name).sort();
}

Deno.test("reports are given out in order until they are acknowledged", () => {
  using folder = testFolder();
  using journal = open(folder.path);
  const job = jobId();
  const [first, second, third] = [
    addLines(journal, job, 1),
    addLines(journal, job, 11),
    addEnd(journal, job),
  ];
  assert.deepEqual(all(journal).map(({ seq }) => seq), [first, second, third]);
  assert.deepEqual(journal.unacknowledgedEnds, [job]);
  journal.acknowledge(second);
  assert.deepEqual(all(journal).map(({ seq }) => seq), [third]);
  journal.acknowledge(third);
  assert.deepEqual(all(journal), []);
  assert.deepEqual(journal.unacknowledgedEnds, []);
});

Deno.test("after a restart what was not acknowledged is there, and numbers go on", () => {
  using folder = testFolder();
  const job = jobId();
  const before = open(folder.path, { segmentBytes: 2000 });
  for (let i = 0; i < 50; i++) addLines(before, job, 1 + i * 10);
  const end = addEnd(before, job);
  const reports = all(before);
  before.close();
  {
    using after = open(folder.path, { segmentBytes: 2000 });
    assert.deepEqual(all(after), reports);
    assert.deepEqual(after.unacknowledgedEnds, [job]);
    assert.ok(addLines(after, jobId(), 1) > end);
    after.acknowledge(after.lastSeq);
  }
  using last = open(folder.path);
  assert.ok(addLines(last, jobId(), 1) > end + 1);
});

Deno.test("numbers never repeat, even when every report was acknowledged and its file removed", () => {
  using folder = testFolder();
  let highest = 0;
  for (let round = 0; round < 4; round++) {
    using journal = open(folder.path, { segmentBytes: 1000 });
    for (let i = 0; i < 20; i++) {
      const seq = addLines(journal, jobId(), 1);
      assert.ok(seq > highest);
      highest = seq;
      journal.acknowledge(seq);
    }
    assert.equal(segments(folder.path).length, 1);
  }
});

Deno.test("files that are wholly acknowledged are removed", () => {
  using folder = testFolder();
  using journal = open(folder.path, { segmentBytes: 1000 });
  const job = jobId();
  for (let i = 0; i < 100; i++) addLines(journal, job, 1 + i * 10);
  assert.ok(segments(folder.path).length > 10);
  journal.acknowledge(journal.lastSeq - 1);
  assert.ok(segments(folder.path).length <= 2);
  assert.equal(all(journal).length, 1);
});

Deno.test("a report that was cut off in mid-write is dropped, the others stay", () => {
  using folder = testFolder();
  const journal = open(folder.path);
  addLines(journal, jobId(), 1);
  addLines(journal, jobId(), 1);
  journal.close();
  const path = join(folder.path, "journal", segments(folder.path)[0]!);
  const bytes = Deno.readFileSync(path);
  Deno.writeFileSync(path, bytes.subarray(0, bytes.length - 20));
  const logged: string[] = [];
  using again = open(folder.path, { log: createLog("debug", (line) => logged.push(line)) });
  assert.equal(all(again).length, 1);
  assert.match(logged.join(""), /dropped \d+ bytes of a report that was never finished/);
});

Deno.test("of a damaged journal what is whole is sent, and the rest is put aside as it was", () => {
  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.with(30, bytes[30]! ^ 1),
    (bytes) => new Uint8Array([...bytes.subarray(0, 10), 10, ...bytes.subarray(10)]),
    (bytes) => new Uint8Array([...bytes, ...bytes]),
    (bytes) => new Uint8Array([...bytes, ...new TextEncoder().encode("garbage\n")]),
  ];
  for (const damage of damages) {
    using folder = testFolder();
    const journal = open(folder.path);
    for (let i = 0; i < 3; i++) addLines(journal, jobId(), 1);
    journal.close();
    const path = join(folder.path, "journal", segments(folder.path)[0]!);
    const damaged = damage(Deno.readFileSync(path));
    Deno.writeFileSync(path, damaged);
    const sentences: string[] = [];
    using again = open(folder.path, { onDamage: (sentence) => sentences.push(sentence) });
    assert.match(
      sentences.join(),
      new RegExp(`${path} is damaged at byte \\d+; it is kept as ${path}\\.bad-1`),
    );
    assert.deepEqual(Deno.readFileSync(`${path}.bad-1`), damaged);
    // What is whole in it is sent, and numbers go on above.
    assert.ok(again.after(0), "nothing was saved");
    assert.ok(again.lastSeq >= 1_000_000);
  }
});

Deno.test("a full journal drops the oldest lines, says how many, and keeps every result", () => {
  using folder = testFolder();
  using journal = open(folder.path, { limitBytes: 20_000, segmentBytes: 2000 });
  const jobs = [jobId(), jobId()];
  for (let i = 0; i < 500; i++) addLines(journal, jobs[i % 2]!, 1 + 10 * (i >> 1));
  for (const job of jobs) addEnd(journal, job);
  for (let i = 0; i < 50; i++) addLines(journal, jobId(), 1);

  assert.ok(journal.bytes <= 24_000, `${journal.bytes} bytes`);
  const reports = all(journal);
  assert.deepEqual(
    reports.filter(({ type }) => type === "job.finished").map((r) => "job_id" in r && r.job_id),
    jobs,
  );
  for (const job of jobs) {
    const [marker, ...more] = reports.filter((report): report is LogStream =>
      report.type === "log.stream" && report.job_id === job
    );
    assert.equal(marker?.first_line, 1);
    const [line] = marker!.lines;
    assert.equal(line?.stream, "agent");
    const dropped = Number(/^\[(\d+) lines were dropped here/.exec(line!.text)?.[1]);
    const kept = more.reduce((sum, { lines }) => sum + lines.length, 0);
    assert.equal(dropped + kept, 2500);
  }
  const seqs = reports.map(({ seq }) => seq);
  assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
});

Deno.test("an endless log leaves few files behind", () => {
  using folder = testFolder();
  using journal = open(folder.path, { limitBytes: 10_000, segmentBytes: 1000 });
  const job = jobId();
  for (let i = 0; i < 2000; i++) addLines(journal, job, 1 + i * 10);
  assert.ok(segments(folder.path).length < 20, `${segments(folder.path).length} files`);
  const [marker] = all(journal) as LogStream[];
  assert.match(marker!.lines[0]!.text, /^\[1\d{4} lines were dropped here/);
});

Deno.test("many reports are given out in order while they are acknowledged in steps", () => {
  using folder = testFolder();
  using journal = open(folder.path, { segmentBytes: 5000 });
  const job = jobId();
  const seen: number[] = [];
  let sent = 0;
  for (let i = 0; i < 1000; i++) {
    addLines(journal, job, 1 + i * 10);
    if (i % 7 === 0) {
      for (let entry = journal.after(sent); entry; entry = journal.after(sent)) {
        sent = entry.seq;
        seen.push(...(JSON.parse(entry.text) as LogStream).lines.map((_, n) => n));
      }
    }
    if (i % 31 === 0) journal.acknowledge(sent - 3);
  }
  assert.equal(seen.length, 994 * 10 + 10);
});

Deno.test("a file of the journal that cannot be read any more keeps nothing back that comes after it", () => {
  using folder = testFolder();
  const logged: string[] = [];
  const log = createLog("error", (line) => logged.push(line));
  using journal = open(folder.path, { log, segmentBytes: 2000 });
  const job = jobId();
  for (let n = 1; n <= 5; n++) addLines(journal, job, n * 10);
  addEnd(journal, job);
  const directory = join(folder.path, "journal");
  const [oldest] = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  Deno.writeTextFileSync(join(directory, oldest!), "not what was written\n");
  assert.ok(all(journal).some(({ type }) => type === "job.finished"));
  assert.equal(logged.filter((line) => line.includes("cannot be read and is left out")).length, 1);
});

Deno.test("reports of an agent of protocol 1 are given out under today's names, and what a line says stays as it is", () => {
  using folder = testFolder();
  const [job, said] = [jobId(), 'it says {"first_seq":7} and ,"schedule_version":1'];
  const old = [
    { type: "job.started", job_id: job, bandwidth_up_kbps: 5, bandwidth_down_kbps: null },
    {
      type: "log.stream",
      job_id: job,
      first_seq: 1,
      lines: [{ at: 1, stream: "stdout", text: said }],
    },
  ];
  {
    using journal = open(folder.path);
    for (const report of old) journal.append(report as never);
  }
  using journal = open(folder.path);
  const [started, lines] = all(journal) as unknown as Record<string, unknown>[];
  assert.deepEqual(
    [started!.bandwidth_up_kib_per_s, started!.bandwidth_down_kib_per_s, started!.seq],
    [5, null, 1],
  );
  assert.deepEqual([lines!.first_line, lines!.first_seq], [1, undefined]);
  assert.equal((lines!.lines as { text: string }[])[0]!.text, said);
});

Deno.test("a report that is given up is kept in a file and a sentence, and those after it are given out", () => {
  using folder = testFolder();
  const damage: string[] = [];
  using journal = open(folder.path, { onDamage: (sentence) => damage.push(sentence) });
  const [first, second] = [addLines(journal, jobId(), 1), addEnd(journal, jobId())];
  journal.giveUp(journal.after(0)!);
  assert.deepEqual(all(journal).map(({ seq }) => seq), [second]);
  assert.match(damage[0]!, /does not take a report \(log\.stream\).*refused\.jsonl/);
  const path = join(folder.path, "journal", "refused.jsonl");
  assert.equal(JSON.parse(Deno.readTextFileSync(path)).seq, first);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
});
