import assert from "node:assert/strict";
import { createLog, LOG_FORMATS } from "../../shared/log.ts";

Deno.test("the log keeps to its level and to one line per event, with control characters made visible", () => {
  const lines: string[] = [];
  const log = createLog("info", (line) => lines.push(line));
  log.debug("unseen");
  log.warn("one\ntwo \x1b[31m\0");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^\d{4}-\d\d-\d\dT\S+Z warn one␊two ␛\[31m␀\n$/);
});

const FORGED = "2026-01-01T00:00:00.000Z error nobody wrote this";
/** Each ends a line for some reader, drives a terminal, or turns the text around. */
const HOSTILE = [
  ...["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
    .map((end) => `a${end}${FORGED}`),
  `a"}\n{"time":"2026-01-01T00:00:00.000Z","level":"error","message":"nobody"}`,
  'a\\"}\\n{"level":"error"',
  "\x1b[31mred\x9b0m\x07\x7f\0",
  "\u202egnp.exe\u2066x\u061c\u200f",
  "half a pair \ud800",
];
/** All that acts on who reads a line, and every character at which some reader begins another. */
const ACTS = // deno-lint-ignore no-control-regex
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

for (const format of LOG_FORMATS) {
  Deno.test(`no message forges a line, drives a terminal or turns around in ${format}`, () => {
    for (const message of HOSTILE) {
      const lines: string[] = [];
      createLog("info", (line) => lines.push(line), format).info(message);
      assert.equal(lines.length, 1);
      assert.doesNotMatch(lines[0]!.slice(0, -1), ACTS, JSON.stringify(message));
      assert.ok(lines[0]!.endsWith("\n") && lines[0]!.isWellFormed());
    }
  });
}

Deno.test("in JSON a line is an object with time, level and message, and its message is harmless when it is printed", () => {
  for (const message of ["plain", 'with "quotes", \\ and\ttab, ä 日本', ...HOSTILE]) {
    const lines: string[] = [];
    createLog("info", (line) => lines.push(line), "json").warn(message);
    const value = JSON.parse(lines[0]!);
    assert.deepEqual(Object.keys(value), ["time", "level", "message"]);
    assert.equal(new Date(value.time).toISOString(), value.time);
    assert.equal(value.level, "warn");
    assert.doesNotMatch(value.message, ACTS);
    if (!HOSTILE.includes(message)) assert.equal(value.message, message);
  }
});
