// One report as a line of a segment file: the CRC-32 of the JSON in hex, a space, the JSON. The number and the type
// stand first in the JSON, so that neither needs a parse.
import { crc32 } from "node:zlib";
import type { NewReport, Report } from "../../shared/protocol.ts";
import { renamedReport } from "../state/protocol_1.ts";

export interface Entry {
  seq: number;
  type: Report["type"];
  /** The report as the server gets it. */
  text: string;
}

const HEAD = /^\{"seq":(\d{1,16}),"type":"([a-z.]+)"/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function makeEntry(seq: number, report: NewReport): Entry {
  const { type, ...rest } = report;
  return { seq, type, text: JSON.stringify({ seq, type, ...rest }) };
}

export function encodeEntry(entry: Entry): Uint8Array {
  const json = encoder.encode(entry.text);
  const line = new Uint8Array(json.length + 10);
  line.set(encoder.encode(`${checksum(json)} `));
  line.set(json, 9);
  line[line.length - 1] = 10;
  return line;
}

/** One line without its end, or undefined when it is not one that was written here. */
export function decodeEntry(line: Uint8Array): Entry | undefined {
  const json = line.subarray(9);
  if (line[8] !== 32 || decoder.decode(line.subarray(0, 8)) !== checksum(json)) return undefined;
  const text = decoder.decode(json);
  const head = HEAD.exec(text);
  if (!head) return undefined;
  return { seq: Number(head[1]), type: head[2] as Report["type"], text: renamedReport(text) };
}

export function reportOf(entry: Entry): Report {
  return JSON.parse(entry.text);
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}
