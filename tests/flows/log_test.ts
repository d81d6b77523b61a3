// What both programs log, as real processes: one event is one line in either format, whatever the other side sends.
import assert from "node:assert/strict";
import { join } from "node:path";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat } from "../../shared/log.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { Fleet, freePort, runOnce, start } from "../support/programs.ts";
import { spawnAgent, testFolder } from "../support/start_agent.ts";

const FORGED = "2026-01-01T00:00:00.000Z error forged";
const HOSTILE = `one\n${FORGED}\r\n${FORGED}\u2028${FORGED}\x85\x1b[31m\u202e"}\n{"level":"error"}`;
const TEXT_LINE = new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z (${LOG_LEVELS.join("|")}) \\S`);
/** Where some reader begins another line, and what acts on a terminal. */
const ACTS = // deno-lint-ignore no-control-regex
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/;

/** Every line is one of the log, as its format says; returns the messages. */
function messagesIn(printed: string, format: LogFormat): string[] {
  assert.doesNotMatch(printed, ACTS);
  const lines = printed.split("\n").slice(0, -1);
  assert.ok(lines.length > 0, "nothing was printed");
  return lines.map((line) => {
    assert.ok(!line.startsWith("2026-01-01"), `forged: ${line}`);
    if (format === "text") {
      assert.match(line, TEXT_LINE);
      return line;
    }
    const value = JSON.parse(line);
    assert.deepEqual(Object.keys(value), ["time", "level", "message"]);
    assert.ok(LOG_LEVELS.includes(value.level) && Date.parse(value.time) > 0, line);
    assert.doesNotMatch(value.message, /\n/);
    return value.message;
  });
}

for (const format of LOG_FORMATS) {
  Deno.test(`what an agent sends forges no line in the server's log as ${format}`, async () => {
    await using fleet = await Fleet.start({ RM_LOG_FORMAT: format });
    const { token } = await fleet.api("POST", "/api/enrollment-tokens", {
      hostname: "alpha",
      initial_paths: ["/etc"],
      repository: { name: "r", url: "/nowhere", is_new: false, password: "a long password" },
    });
    const { bearer } = await enrol(fleet.url, token);
    const agent = await FakeAgent.connect(fleet.url, bearer, { hostname: "alpha" });
    agent.send({ type: "error", message: HOSTILE });
    await eventually("the server logged it", () => fleet.server.printed().includes("says: one"));
    await agent.close();
    assert.equal(await fleet.server.end(), 0);
    const said = messagesIn(fleet.server.printed(), format)
      .filter((message) => message.includes("says: one"));
    assert.equal(said.length, 1);
    assert.ok(said[0]!.includes("one␊2026-01-01"), said[0]);
  });

  Deno.test(`what a server answers forges no line in the agent's log as ${format}`, async () => {
    using folder = testFolder();
    let asked = 0;
    await using server = pretend(() => {
      // Busy once, which is logged; then a refusal, which is how the agent ends.
      const [status, code] = ++asked === 1 ? [503, "unavailable"] : [403, "forbidden"];
      return Response.json({ error: { code, message: HOSTILE } }, { status });
    });
    const env = { RM_SERVER: server.url, RM_TOKEN: "rmt_x", RM_LOG_FORMAT: format };
    await using agent = spawnAgent(folder.path, env);
    const { code, stdout, stderr } = await agent.end();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    const lines = stderr.split("\n").slice(0, -1);
    assert.match(lines.at(-1)!, /refused to enrol this machine: one␊/);
    // The last one is the sentence alone where a person reads it.
    const logged = format === "text" ? lines.slice(0, -1) : lines;
    const messages = messagesIn(`${logged.join("\n")}\n`, format);
    assert.ok(messages.some((message) => message.includes("answers 503: one␊2026")), stderr);
    assert.ok(!lines.some((line) => line.startsWith("2026-01-01")));
  });
}

Deno.test("links and fingerprints that people need are lines of JSON too, whatever the level", async () => {
  using folder = testFolder();
  const url = `http://127.0.0.1:${freePort()}`;
  const quiet = { RM_LOG_FORMAT: "json", RM_LOG_LEVEL: "error" };
  await using server = start("server", ["serve"], {
    RM_LISTEN: url.slice("http://".length),
    RM_DATA_DIR: join(folder.path, "data"),
    ...quiet,
  });
  await eventually("the link", () => server.printed().includes("/setup?token="));
  assert.match(messagesIn(server.printed(), "json").join(), /first administrator.*\/setup\?token=/);
  await using agent = spawnAgent(folder.path, { RM_SERVER: url, ...quiet });
  await eventually("the fingerprint", () => /fingerprint/.test(agent.stdout()));
  messagesIn(agent.stdout(), "json");
});

Deno.test("why a server cannot start is a line of JSON, and a sentence for a person at the command line", async () => {
  using folder = testFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const env = {
    RM_DATA_DIR: folder.path,
    RM_LISTEN: `127.0.0.1:${port}`,
    RM_LOG_FORMAT: "JSON",
    RM_LOG_LEVEL: "error",
  };
  const ended = await runOnce("server", ["serve"], env);
  assert.equal(ended.code, 1);
  assert.match(messagesIn(ended.stderr, "json").at(-1)!, /in use/i);
  const wrong = await runOnce("server", ["user", "remove", "nobody"], env);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^There is no user named nobody\.$/m);
});

Deno.test("a format that does not exist is refused by name by both programs, and both tell of the setting", async () => {
  using folder = testFolder();
  for (const value of ["xml", "json,text", "jsonl"]) {
    const env = {
      RM_LOG_FORMAT: value,
      RM_DATA_DIR: folder.path,
      RM_CONFIG_DIR: folder.path,
      RM_SERVER: "http://127.0.0.1:9",
    };
    for (const [program, args, code] of [["server", "serve", 1], ["agent", "run", 2]] as const) {
      const ended = await runOnce(program, [args], env);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, /^RM_LOG_FORMAT.*one of text, json\.\n$/);
      assert.ok(ended.stderr.includes(`"${value}"`), ended.stderr);
    }
  }
  for (const program of ["server", "agent"] as const) {
    assert.match((await runOnce(program, ["--help"], {})).stdout, /RM_LOG_FORMAT +text .*json/);
  }
});

async function enrol(url: string, token: string): Promise<{ bearer: string }> {
  const response = await fetch(`${url}/api/agents/enroll`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      token,
      hostname: "alpha",
      os: "linux",
      arch: "x86_64",
      agent_version: "0.1.0",
      restic_version: "0.18.0",
    }),
  });
  const value = await response.json();
  assert.ok(response.ok, JSON.stringify(value));
  return value;
}

function pretend(answer: () => Response): { url: string } & AsyncDisposable {
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  return {
    url: `http://127.0.0.1:${http.addr.port}`,
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
}
