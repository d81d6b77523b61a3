// Job lines stored per second through the whole server: frames over a real socket, checked, stored, flushed to the
// disk, acknowledged. Beside it the same rows straight into node:sqlite, 500 to a transaction.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";
import type { Row } from "./table.ts";

const LINES = 200_000;
const BATCH = 500;
/** Unacknowledged batches in flight, about what the agent allows itself. */
const WINDOW = 16;
const TEXT =
  "processed /home/alice/photographs/2024/summer/IMG_20240717_113205.jpg, 3.412 MiB in 0.081 s ok";

export async function benchLines(): Promise<Row[]> {
  const server = await throughServer();
  const raw = await rawSqlite();
  return [{
    measure: "job lines stored per second",
    limit: "raw node:sqlite, batches of 500",
    goal: "≥ 0.5",
    ratio: server / raw,
    detail: `${Math.round(server)} against ${Math.round(raw)} lines/s`,
  }];
}

async function throughServer(): Promise<number> {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const { job_id } = await agent.next("command.run");
  agent.started(job_id);
  const texts = new Array<string>(BATCH).fill(TEXT);
  const began = performance.now();
  let last = 0;
  for (let n = 0; n < LINES / BATCH; n++) {
    last = agent.lines(job_id, n * BATCH + 1, texts);
    if (n >= WINDOW) await agent.acknowledged(last - WINDOW);
  }
  await agent.acknowledged(last);
  const seconds = (performance.now() - began) / 1000;
  await agent.close();
  return LINES / seconds;
}

async function rawSqlite(): Promise<number> {
  const folder = await Deno.makeTempDir();
  const db = new DatabaseSync(join(folder, "raw.db"));
  db.exec(`pragma journal_mode = wal; pragma synchronous = normal;
    create table job_lines (job_number integer not null, n integer not null, at integer not null,
      stream integer not null, text text not null, primary key (job_number, n)) strict, without rowid`);
  const insert = db.prepare("insert into job_lines values (?, ?, ?, ?, ?)");
  const began = performance.now();
  for (let n = 0; n < LINES; n += BATCH) {
    db.exec("begin");
    for (let k = 1; k <= BATCH; k++) insert.run(1, n + k, Date.now(), 0, TEXT);
    db.exec("commit");
  }
  const seconds = (performance.now() - began) / 1000;
  db.close();
  await Deno.remove(folder, { recursive: true });
  return LINES / seconds;
}
