import assert from "node:assert/strict";
import { ErrorReader } from "../../../agent/restic/errors.ts";

function read(...raw: string[]) {
  const reader = new ErrorReader();
  return { lines: raw.flatMap((line) => reader.read(line)), facts: reader.facts };
}

Deno.test("an unreadable file becomes a readable line in each of restic's three shapes", () => {
  const shapes = [
    `{"message_type":"error","error":{"Op":"open","Path":"/a b/x","Err":13},"during":"archival","item":"/a b/x"}`,
    `{"message_type":"error","error":{},"during":"archival","item":"/a b/x"}`,
    `{"message_type":"error","error":{"message":"failed to save /a b/x: read /a b/x: input/output error"},"during":"archival","item":"/a b/x"}`,
  ];
  const { lines, facts } = read(...shapes);
  assert.deepEqual(lines, [
    "error: /a b/x: permission denied",
    "error: /a b/x: could not be read",
    "error: /a b/x: input/output error",
  ]);
  assert.equal(facts.unreadable, 3);
  assert.equal(facts.contact, true);
});

Deno.test("an exit error becomes its lines, and a missing source is counted", () => {
  const { lines, facts } = read(
    `{"message_type":"exit_error","code":10,"message":"Fatal: no\\nIs there one?"}`,
    "\x1b[2K/nope does not exist, skipping",
  );
  assert.deepEqual(lines, ["Fatal: no", "Is there one?", "/nope does not exist, skipping"]);
  assert.deepEqual(facts.missing, ["/nope"]);
  assert.equal(facts.contact, false);
});

Deno.test("what only looks like JSON stays as it is", () => {
  const odd = ["{not json", `{"message_type":"other"}`, "[1]", ""];
  assert.deepEqual(read(...odd).lines, odd);
});

Deno.test("what is kept for the reason is bounded", () => {
  const reader = new ErrorReader();
  for (let i = 0; i < 10_000; i++) reader.read(`line ${i} ${"x".repeat(100)}`);
  assert.ok(reader.facts.text.length <= 8192);
  assert.ok(reader.facts.text.includes("line 9999 "));
});
