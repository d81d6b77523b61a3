// Room in a full journal: lines go first, results stay. A marker stands where a job's lines were.
import type { LogStream, Report } from "../../shared/protocol.ts";
import { type Entry, makeEntry, reportOf } from "./entry.ts";

const MARKER = /^\[(\d+) lines were dropped here because the journal was full\]$/;

/** The same entries without log lines: per job one marker in place of its first ones, that counts them all. */
export function withoutLines(entries: Entry[]): Entry[] {
  const kept: Entry[] = [];
  const markers = new Map<
    string,
    { index: number; seq: number; first: LogStream; lines: number }
  >();
  for (const entry of entries) {
    if (entry.type !== "log.stream") {
      kept.push(entry);
      continue;
    }
    const report = reportOf(entry) as LogStream;
    const marker = markers.get(report.job_id);
    if (marker) marker.lines += countLines(report);
    else {
      const lines = countLines(report);
      markers.set(report.job_id, { index: kept.length, seq: entry.seq, first: report, lines });
      kept.push(entry);
    }
  }
  for (const marker of markers.values()) {
    kept[marker.index] = makeMarker(marker.seq, marker.first, marker.lines);
  }
  return kept;
}

/** What goes next when there is no room in memory for results either; the ends of jobs go last. */
const NEXT_TO_GO: Report["type"][] = [
  "log.stream",
  "repo.stats",
  "repo.locks",
  "snapshots.report",
  "job.started",
  "job.finished",
];

/** The same entries within this many characters: lines go first, then the oldest of what matters least. */
export function shortened(entries: Entry[], limit: number): Entry[] {
  let kept = withoutLines(entries);
  let size = sizeOf(kept);
  for (const type of NEXT_TO_GO) {
    if (size <= limit) break;
    kept = kept.filter((entry) => {
      if (size <= limit || entry.type !== type) return true;
      size -= entry.text.length;
      return false;
    });
  }
  return kept;
}

function sizeOf(entries: Entry[]): number {
  return entries.reduce((sum, { text }) => sum + text.length, 0);
}

function makeMarker(seq: number, first: LogStream, lines: number): Entry {
  const text = `[${lines} lines were dropped here because the journal was full]`;
  const at = first.lines[0]?.at ?? 0;
  return makeEntry(seq, {
    type: "log.stream",
    job_id: first.job_id,
    first_line: first.first_line,
    lines: [{ at, stream: "agent", text }],
  });
}

function countLines(report: LogStream): number {
  const [only] = report.lines;
  const marker = report.lines.length === 1 && only?.stream === "agent" && MARKER.exec(only.text);
  return marker ? Number(marker[1]) : report.lines.length;
}
