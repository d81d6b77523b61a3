// Many agents in one process: the agent's own connection for each, with a journal in memory and no restic. Those that
// have a job say so many lines a second. Tells how many are accepted whenever that changes.
import { MACHINE } from "../../../agent/clock.ts";
import { Connection, PACE } from "../../../agent/connection.ts";
import { JobLines } from "../../../agent/jobs/lines.ts";
import type { Journal } from "../../../agent/journal/journal.ts";
import { RunningStreams } from "../../../agent/streams/running.ts";
import { createLog } from "../../../shared/log.ts";
import { type NewReport, PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import type { SimulatedHost } from "../insert_hosts.ts";

const [url, file, linesPerSecond] = Deno.args;
const hosts = JSON.parse(Deno.readTextFileSync(file!)) as SimulatedHost[];
const TEXT = "processed /home/alice/photographs/2024/summer/IMG_20240717_113205.jpg, 3.4 MiB ok";

class MemoryJournal {
  onAppend = () => {};
  #last = 0;
  #entries: { seq: number; text: string }[] = [];

  append(report: NewReport): void {
    const seq = ++this.#last;
    this.#entries.push({ seq, text: JSON.stringify({ ...report, seq }) });
    this.onAppend();
  }

  after(number: number) {
    const [first] = this.#entries;
    return first && this.#entries[Math.max(0, number + 1 - first.seq)];
  }

  acknowledge(upTo: number): void {
    while (this.#entries[0] && this.#entries[0].seq <= upTo) this.#entries.shift();
  }
}

const connections = hosts.map(({ bearer, jobId }, n) => {
  const journal = new MemoryJournal();
  const connection = new Connection({
    server: url!,
    bearer,
    client: undefined,
    journal: journal as unknown as Journal,
    log: createLog("error", () => {}),
    pace: PACE,
    hello: () =>
      Promise.resolve({
        type: "hello" as const,
        protocol: PROTOCOL_VERSION,
        agent_version: "0.1.0",
        restic_version: "0.18.0",
        hostname: `host-${n}`,
        os: "linux",
        arch: "x86_64",
        boot_time: 1_700_000_000_000,
        clock: Date.now(),
        plan_version: 1,
        jobs: jobId ? [jobId] : [],
      }),
    clock: MACHINE,
    streams: new RunningStreams(() => {
      throw new Error("nothing is asked of these agents");
    }),
    onMessage: () => {},
    onUnreadable: () => {},
    onRefused: (reason) => console.error(reason),
  });
  if (jobId) say(jobId, journal);
  return connection;
});

/** Through the same batches as a real job's lines. */
function say(jobId: string, journal: MemoryJournal): void {
  const lines = new JobLines({
    now: Date.now,
    jobId,
    redact: (text) => text,
    report: (report) => journal.append(report),
  });
  const later = Math.random() * 1000;
  setTimeout(() => {
    setInterval(() => lines.add("stdout", TEXT), 1000 / Number(linesPerSecond));
  }, later);
}

for (const connection of connections) connection.open();
let told = -1;
setInterval(() => {
  const accepted = connections.filter((connection) => connection.isAccepted).length;
  if (accepted !== told) console.log(JSON.stringify({ accepted: told = accepted }));
}, 20);
