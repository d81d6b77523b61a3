// The lines of a job's log: stored in batches, read by their number.
import { Buffer } from "node:buffer";
import type { SQLInputValue } from "node:sqlite";
import { bytes as inWords } from "../../shared/bytes.ts";
import { LINE_STREAMS } from "../../shared/job.ts";
import type { Line } from "../../shared/protocol.ts";
import type { Connection } from "../database/connection.ts";
import { auditCut, today } from "../quotas/day.ts";
import { type CutOfLines, MARKS_PER_JOB, type Use } from "../quotas/line_use.ts";
import type { Server } from "../server.ts";
import type { StoredLine } from "../../shared/shapes/job.ts";

const STREAM_NUMBER = Object.fromEntries(LINE_STREAMS.map((name, index) => [name, index]));

// One statement for a whole batch: a bound JSON array costs less than binding each value.
const INSERT = `insert or ignore into job_lines (job_number, line, at, stream, text)
  select ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?)`;

/**
 * Stores the lines as far as the quotas of job, host and disk allow, and returns those that were stored. What is cut is
 * told by one line in its place, and once a day in the audit. A repeated batch changes nothing.
 */
export async function storeLines(
  server: Server,
  job: { number: number; hostId: string },
  first: number,
  lines: Line[],
): Promise<StoredLine[]> {
  const { lineUse, disk } = server;
  const of = { jobNumber: job.number, hostId: job.hostId, day: today(server) };
  const numbered = lines.map((line, index) => ({ line: first + index, ...line }));
  const isShort = disk.isShort;
  const { stored, use, cut } = await server.database.raw((sqlite) => {
    const use = lineUse.of(sqlite, of);
    const fresh = first > use.job.seen ? numbered : notStored(sqlite, job.number, numbered);
    const sizes = sizesOf(fresh);
    const { count, cut } = lineUse.fits(use, sizes, isShort);
    const stored = cut
      ? [...fresh.slice(0, count), ...markOf(server, use, fresh[count]!, cut)]
      : fresh;
    note(use, { fresh, sizes, count, stored: stored.length });
    if (stored.length > 0) sqlite.prepare(INSERT).run(job.number, batchOf(stored));
    // A repeat changes nothing.
    if (fresh.length > 0) lineUse.write(sqlite, of, use);
    return { stored, use, cut };
  });
  lineUse.keep(of, use);
  if (cut) await sayCut(server, job, cut);
  return stored;
}

/** One call for each text takes as long as storing it: most batches are plain ASCII, which one call shows. */
function sizesOf(lines: StoredLine[]): number[] {
  const all = lines.map(({ text }) => text).join("");
  const isPlain = Buffer.byteLength(all) === all.length;
  return lines.map(({ text }) => isPlain ? text.length : Buffer.byteLength(text));
}

function batchOf(lines: StoredLine[]): string {
  return JSON.stringify(
    lines.map(({ line, at, stream, text }) => [line, at, STREAM_NUMBER[stream], storable(text)]),
  );
}

/** Of numbers that were seen before, those that are not there. */
function notStored(sqlite: Connection, jobNumber: number, lines: StoredLine[]): StoredLine[] {
  const rows = sqlite.prepare(
    "select line from job_lines where job_number = ? and line between ? and ?",
  )
    .all(jobNumber, lines[0]!.line, lines.at(-1)!.line) as { line: number }[];
  const there = new Set(rows.map(({ line }) => line));
  return lines.filter(({ line }) => !there.has(line));
}

function note(
  { job, day }: Use,
  batch: { fresh: StoredLine[]; sizes: number[]; count: number; stored: number },
): void {
  const { fresh, sizes, count, stored } = batch;
  const bytes = sizes.slice(0, count).reduce((sum, size) => sum + size, 0);
  job.lines += count;
  job.bytes += bytes;
  day.lines += count;
  day.bytes += bytes;
  if (fresh.length === 0) return;
  // What was cut before and comes again after a reconnect is not counted twice.
  job.cut += fresh.slice(count).filter(({ line }) => line > job.seen).length;
  job.seen = Math.max(job.seen, fresh.at(-1)!.line);
  if (stored > count) job.marks++;
  job.inGap = count < fresh.length;
}

/** The line that stands where others are missing: one for each gap. */
function markOf(server: Server, { job }: Use, at: StoredLine, cut: CutOfLines): StoredLine[] {
  // A gap goes on while nothing was stored since its beginning.
  if (at.line <= job.seen || job.inGap || job.marks >= MARKS_PER_JOB) return [];
  return [{
    line: at.line,
    at: server.now(),
    stream: "agent",
    text: `[server] ${cutInWords(server, cut)}`,
  }];
}

function cutInWords({ settings: { quotas } }: Server, cut: CutOfLines): string {
  const count = (number: number) => number.toLocaleString("en");
  const limit = (lines: number, bytes: number) => `${count(lines)} lines and ${inWords(bytes)}`;
  switch (cut) {
    case "lines_per_job":
      return `The server keeps at most ${
        limit(quotas.linesPerJob, quotas.lineBytesPerJob)
      } of a job's log. Lines from here on were cut.`;
    case "lines_per_day":
      return `The server keeps at most ${
        limit(quotas.linesPerDay, quotas.lineBytesPerDay)
      } of a host's logs a day. Lines from here on were cut.`;
    case "disk":
      return "The server's disk was nearly full. Lines from here on were cut.";
    default:
      return cut satisfies never;
  }
}

/** What is stored does not depend on whether this can be said. */
async function sayCut(
  server: Server,
  { number, hostId }: { number: number; hostId: string },
  cut: CutOfLines,
): Promise<void> {
  if (!server.lineUse.isNewsToday(hostId, today(server), cut)) return;
  const { id: jobId } = await server.db.selectFrom("jobs").select("id").where("number", "=", number)
    .executeTakeFirstOrThrow();
  await server.db.transaction().execute((tx) =>
    auditCut(server, tx, { hostId, kind: cut, what: cutInWords(server, cut), jobId })
  );
}

/** SQLite ends a text at a NUL; its picture stands for it. */
function storable(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\u2400") : text;
}

/** The lines after `after`, oldest first. */
export function linesAfter(
  { database }: Server,
  jobNumber: number,
  after: number,
  limit: number,
): StoredLine[] {
  return read(
    database.sqlite.prepare(
      "select line, at, stream, text from job_lines where job_number = ? and line > ? order by line limit ?",
    ).all(jobNumber, after, limit),
  );
}

/** The last lines before `before`, oldest first. */
export function linesBefore(
  { database }: Server,
  jobNumber: number,
  before: number,
  limit: number,
): StoredLine[] {
  return read(
    database.sqlite.prepare(
      "select line, at, stream, text from job_lines where job_number = ? and line < ? order by line desc limit ?",
    ).all(jobNumber, before, limit),
  ).reverse();
}

export function lastLineNumber({ database }: Server, jobNumber: number): number {
  const row = database.sqlite.prepare(
    "select line from job_lines where job_number = ? order by line desc limit 1",
  ).get(jobNumber) as { line: number } | undefined;
  return row?.line ?? 0;
}

function read(rows: Record<string, SQLInputValue>[]): StoredLine[] {
  return rows.map((row) => ({
    line: row.line as number,
    at: row.at as number,
    stream: LINE_STREAMS[row.stream as number] ?? "stdout",
    text: row.text as string,
  }));
}
