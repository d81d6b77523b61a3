// The lines of a job's log: stored in batches, read by their number.
import type { SQLInputValue } from "node:sqlite";
import { LINE_STREAMS, type LineStream } from "../../shared/job.ts";
import type { Line } from "../../shared/protocol.ts";
import type { Server } from "../server.ts";

export interface StoredLine {
  n: number;
  at: number;
  stream: LineStream;
  text: string;
}

const STREAM_NUMBER = Object.fromEntries(LINE_STREAMS.map((name, index) => [name, index]));

// One statement for a whole batch: a bound JSON array costs less than binding each value.
const INSERT = `insert or ignore into job_lines (job_number, n, at, stream, text)
  select ?, ? + key, value ->> 0, value ->> 1, value ->> 2 from json_each(?)`;

/** Stores the lines and answers them numbered. A repeated batch changes nothing. */
export async function storeLines(
  server: Server,
  jobNumber: number,
  first: number,
  lines: Line[],
): Promise<StoredLine[]> {
  const batch = JSON.stringify(
    lines.map((line) => [line.at, STREAM_NUMBER[line.stream], storable(line.text)]),
  );
  await server.database.raw((sqlite) => {
    sqlite.prepare(INSERT).run(jobNumber, first, batch);
  });
  return lines.map((line, index) => ({ n: first + index, ...line }));
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
      "select n, at, stream, text from job_lines where job_number = ? and n > ? order by n limit ?",
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
      "select n, at, stream, text from job_lines where job_number = ? and n < ? order by n desc limit ?",
    ).all(jobNumber, before, limit),
  ).reverse();
}

export function lastLineNumber({ database }: Server, jobNumber: number): number {
  const row = database.sqlite.prepare(
    "select n from job_lines where job_number = ? order by n desc limit 1",
  ).get(jobNumber) as { n: number } | undefined;
  return row?.n ?? 0;
}

function read(rows: Record<string, SQLInputValue>[]): StoredLine[] {
  return rows.map((row) => ({
    n: row.n as number,
    at: row.at as number,
    stream: LINE_STREAMS[row.stream as number] ?? "stdout",
    text: row.text as string,
  }));
}
