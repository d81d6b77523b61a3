import assert from "node:assert/strict";
import { TerminalLines } from "../../../agent/jobs/terminal_lines.ts";
import { CUT_MARK } from "../../../agent/restic/lines.ts";
import { LINE_LENGTH_LIMIT } from "../../../shared/job.ts";

/** The lines of an output that comes in chunks of so many bytes. */
function linesOf(output: string, chunkBytes = Infinity, last?: number): string[] {
  const found: string[] = [];
  const lines = new TerminalLines((line) => found.push(line));
  const bytes = new TextEncoder().encode(output);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    lines.push(bytes.subarray(at, at + chunkBytes), last);
  }
  lines.end();
  return found;
}

const CASES: [what: string, output: string, lines: string[]][] = [
  ["plain lines", "a\n\n  b\tc \r\nlast", ["a", "", "  b\tc ", "last"]],
  ["nothing", "", []],
  ["a percentage that grows", "\r1%\r10%\r100%\ndone\n", ["100%", "done"]],
  ["a bar that ends without a line break", "[#  ]\r[## ]\r[###]", ["[###]"]],
  ["a shorter last state", "copying 17 of 20\rdone\nnext\n", ["done", "next"]],
  ["one that wipes with blanks", "0% [Working]\r            \rHit:1 mirror\n", ["Hit:1 mirror"]],
  ["one that changes its left part", "[ .. ] database\r[ ok ]\n", ["[ ok ] database"]],
  ["one that wipes the line", "step one\x1b[2K\rtwo\x1b[1G\x1b[Kthree\r\n", ["three"]],
  ["a spinner of backspaces", "wait |\b/\b-\b\\\b \n", ["wait"]],
  ["colours and a title", "\x1b]0;my title\x07\x1b[1;31mred\x1b[0m \x1b(Bplain\n", ["red plain"]],
  ["a title with its other end", "\x1b]0;title\x1b\\text\n", ["text"]],
  ["columns", "name\x1b[10Gok\x1b[2Dno\x1b[3Cx\n", ["name     no   x"]],
  ["a line erased from its beginning on", "abcdef\x1b[3D\x1b[1K\n", ["   def"]],
  [
    "two bars that are redrawn together",
    "a 0%\nb 0%\n" + "\x1b[2Aa 50%\nb 50%\n" + "\x1b[2A\x1b[2Ka 100%\n\x1b[2Kb 100%\nend\n",
    ["a 0%", "b 0%", "a 100%", "b 100%", "end"],
  ],
  ["a screen that is drawn again", "\x1b[H\x1b[2Jone\ntwo\n\x1b[H\x1b[2Jthree\n", ["three"]],
  ["a place that is kept", "a\x1b7bcd\x1b8X\n", ["aXcd"]],
  ["characters beyond ASCII", "naïve 😀\rna\n", ["na"]],
  ["a title without an end loses no line", "\x1b]0;title\nnext\n", ["\x1b]0;title", "next"]],
  ["what is no sequence", "a\x1b\x01b\x9b\x02c\n", ["a\x1b\x01b\x9b\x02c"]],
  ["a begun sequence at the end", "text\x1b[3", ["text"]],
];

for (const [what, output, lines] of CASES) {
  Deno.test(`output as a terminal would show it in the end: ${what}`, () => {
    assert.deepEqual(linesOf(output), lines);
    for (const size of [1, 2, 3, 7]) {
      assert.deepEqual(linesOf(output, size), lines, `in chunks of ${size} bytes`);
    }
  });
}

Deno.test("what scrolls away after a redraw is given at once, and lines that were never redrawn come as they are", () => {
  const found: string[] = [];
  const lines = new TerminalLines((line) => found.push(line));
  const push = (text: string) => lines.push(new TextEncoder().encode(text));
  push("first\n");
  assert.deepEqual(found, ["first"]);
  push("\x1b[1Aagain\n");
  push("x\n".repeat(100));
  assert.equal(found[1], "again");
  assert.equal(found.length, 102);
  lines.end();
  assert.equal(found.length, 102);
});

Deno.test("a line without an end is cut with a mark, and so is a bar that is redrawn without an end", () => {
  const long = "x".repeat(LINE_LENGTH_LIMIT);
  assert.deepEqual(linesOf(`${long}\n${long}y\n`), [long, long + CUT_MARK]);
  assert.deepEqual(linesOf(`\x1b[99999999C${long}\rok\n`).length, 1);
  const found: string[] = [];
  const lines = new TerminalLines((line) => found.push(line));
  const chunk = new TextEncoder().encode("\r 12345 of 99999".repeat(4096));
  for (let n = 0; n < 200; n++) lines.push(chunk);
  lines.end();
  assert.deepEqual(found, [" 12345 of 99999"]);
});

Deno.test("of a chunk with many lines only the last are given, and the others are counted", () => {
  for (
    const [text, given, left] of [
      ["1\n2\n3\n4\n", ["3", "4"], 2],
      ["1\n2\n3\n4", ["2", "3", "4"], 1],
      ["1\n2\n", ["1", "2"], 0],
      ["\n\n\nx", ["", "", "x"], 1],
    ] as const
  ) {
    const found: string[] = [];
    const lines = new TerminalLines((line) => found.push(line));
    assert.equal(lines.push(new TextEncoder().encode(text), 2), left, text);
    lines.end();
    assert.deepEqual(found, given, text);
  }
});
