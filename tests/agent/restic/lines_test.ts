import assert from "node:assert/strict";
import { CUT_MARK, LineSplitter } from "../../../agent/restic/lines.ts";
import { LINE_LENGTH_LIMIT } from "../../../shared/job.ts";

/** The lines of bytes that arrive in pieces of a size. */
function split(text: string | Uint8Array<ArrayBuffer>, size: number): string[] {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  splitter.end();
  return lines;
}

Deno.test("lines come out the same however the bytes arrive", () => {
  const text = "one\r\ntwo\n\nüñï → 𝄞\nwith \0 and \x1b[31m\nno end";
  const lines = ["one", "two", "", "üñï → 𝄞", "with \0 and \x1b[31m", "no end"];
  for (const size of [1, 2, 3, 5, 7, 1000]) assert.deepEqual(split(text, size), lines);
});

Deno.test("nothing comes out of nothing, and a last line break makes no line", () => {
  assert.deepEqual(split("", 1), []);
  assert.deepEqual(split("a\n", 1), ["a"]);
});

Deno.test("a line of 1 MiB is cut with a mark and the next one is whole", () => {
  for (const size of [1000, 65_536, 5_000_000]) {
    const [long, next, ...more] = split(`${"x".repeat(1024 * 1024)}\nnext\n`, size);
    assert.equal(long, "x".repeat(LINE_LENGTH_LIMIT) + CUT_MARK);
    assert.equal(next, "next");
    assert.deepEqual(more, []);
  }
});

Deno.test("a line of exactly the limit is whole, with CRLF too", () => {
  const line = "y".repeat(LINE_LENGTH_LIMIT);
  for (const size of [999, 65_536, 1_000_000]) {
    assert.deepEqual(split(`${line}\n${line}\r\n${line}`, size), [line, line, line]);
  }
});

Deno.test("a cut does not leave half a character", () => {
  const [line] = split(`${"x".repeat(LINE_LENGTH_LIMIT - 1)}𝄞${"z".repeat(10)}\n`, 4096);
  assert.equal(line, "x".repeat(LINE_LENGTH_LIMIT - 1) + CUT_MARK);
});

Deno.test("a cut line without an end comes out too, and bytes that are no UTF-8 do no harm", () => {
  assert.equal(split("x".repeat(LINE_LENGTH_LIMIT + 5), 10_000)[0]?.endsWith(CUT_MARK), true);
  assert.deepEqual(split(new Uint8Array([0x61, 0xff, 0x0a, 0xc3]), 1), ["a\ufffd", "\ufffd"]);
});
