import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { startServer } from "../support/start_server.ts";
import { makeWorld } from "../support/world.ts";

/** What drives a terminal, forges a line, turns a line around, or runs in a spreadsheet. */
const LINES = [
  "\u001b[2J\u001b[1;1H\u001b]0;title\u0007",
  "\u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007",
  "\u009b31mred\u009d0;title\u009c",
  "\u001bP$q\u001b\\ \u001b[6n \u001b[c \u0005",
  "good\rbad\b\b\bworse\u007f\u0085next",
  "one\n2026-01-01T00:00:00.000Z [agent] a line that nobody wrote",
  "\u202egpj.exe\u202c \u2066x\u2069 \u200fy",
  "\u0000nul \u001a \u0004",
];
/** All that is not plain text and line breaks; a tab is harmless. */
const ACTS =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

attack({
  id: "S29",
  promise: "what was logged drives no terminal, neither as a download nor in the server's own log",
  done:
    "an agent logs sequences for terminals, forged lines and turned text, says them as an error and in its last words; a machine announces a formula; logs, streams and the audit are downloaded",
  expected:
    "no control character in any of them, one line per line, text/plain or CSV as an attachment with nosniff, and the JSON says what was said",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const { agent, jobId } = world.hosts[0]!;
  agent.lines(jobId, 2, LINES);
  for (const message of LINES) agent.send({ type: "error", message });
  await agent.acknowledged(
    agent.finished(jobId, { status: "failed", exit_code: 1, reason: LINES.join(" ") }),
  );
  const bad = await FakeAgent.dial(test.url, world.hosts[1]!.bearer);
  bad.sendRaw(JSON.stringify({ type: `\u009b31m${LINES[0]}`, seq: LINES[2] }));
  bad.hello();
  bad.sendRaw(`{"type":"heartbeat","x":"${"\u009b"}"`);
  await bad.untilClosed();
  await Announcer.announced(test, "x").catch(() => {});
  const read = async (path: string, type: RegExp, isAttached = true) => {
    const response = await fetch(test.url + path, {
      headers: { authorization: `Bearer ${test.tokens.alice}` },
    });
    const text = await response.text();
    const { headers } = response;
    assert.match(headers.get("content-type") ?? "", type, path);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    if (isAttached) {
      assert.match(headers.get("content-disposition") ?? "", /^attachment; filename="/);
    }
    const found = ACTS.exec(text.replaceAll("\r\n", "\n"));
    assert.equal(found, null, `${path}: ${JSON.stringify(found?.[0])}`);
    return text;
  };
  const plain = await read(`/api/jobs/${jobId}/log.txt`, /^text\/plain; charset=utf-8$/);
  const lines = plain.trimEnd().split("\n");
  assert.equal(lines.length, LINES.length + 1, "one line for each, whatever it holds");
  assert.ok(!lines.some((line) => line.startsWith("2026-01-01T00:00:00.000Z")));
  const json = await read(`/api/jobs/${jobId}/log.ndjson`, /^application\/x-ndjson/);
  const texts = json.trimEnd().split("\n").map((line) => JSON.parse(line).text).slice(1);
  assert.deepEqual(texts, LINES.map((text) => text.replaceAll("\0", "\u2400")));
  await read(`/api/jobs/${jobId}/stream`, /^text\/event-stream/, false);
  const csv = await read("/api/audit.csv", /^text\/csv/);
  for (const line of csv.split("\r\n").slice(1).filter(Boolean)) {
    assert.doesNotMatch(line, /(^|,)"?\s*[=+\-@\t]/, "no cell is the beginning of a formula");
  }
  const logged = test.logged.join("\n");
  assert.ok(logged.includes("says: "), "the log has what the agent said");
  assert.equal(ACTS.exec(logged), null);
  assert.equal(test.logged.filter((line) => line.includes("\n")).length, 0);
  see(
    `log.txt ${lines.length} lines, such as ${lines[1]!.slice(25, 60)}; log.ndjson ${
      texts.length + 1
    } lines, ${JSON.stringify(json.split("\n")[3]!.slice(-60))}; audit.csv ${
      csv.split("\r\n").length
    } rows; the server's log ${test.logged.length} lines; none acts`,
  );
});
