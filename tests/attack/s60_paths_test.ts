import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { rawGet } from "../support/raw_http.ts";
import { AGENT } from "../support/on_machine.ts";
import { startServer } from "../support/start_server.ts";
import { assetsHash } from "../../templates/assets/assets.ts";

const UP = [
  ...["..", "%2e%2e", "%2E.", "..%2f", "..%5c", "%2e%2e%5c", "..\\", "%252e%252e", "..;", "..%00"],
  ...["..%c0%af", "%c0%ae%c0%ae", "%uff0e%uff0e", ".%2e", "....", "..%09", "\u2025", "%e2%80%a5"],
];
const FILES = ["secret.key", "restic-manager.sqlite", "etc/passwd", "deno.json", "app.css/../x"];
const WHERE = [
  ...["/assets/HASH/", "/assets/", "/install/", "/agent/", "/", "/api/", "/assets/HASH/app.css/"],
];
/** What names the program of an agent: none of it is a path. */
const QUERIES = [
  ...[
    "os=../secret.key&arch=x64",
    "os=linux&arch=../../secret.key",
    "os=linux&arch=../secret.key",
    "os=linux&arch=other",
    "os=linux&arch=x64/../x",
  ],
  ...["os=linux%00&arch=x64", "os[]=linux&arch=x64", "os=__proto__&arch=constructor", "os=&arch="],
  ...[
    "os=windows&arch=arm64",
    "os=linux&arch=toString",
    "os=/etc/passwd&arch=x64",
    "name=secret.key",
  ],
];

attack({
  id: "S60",
  promise: "no path and no query names a file of the server",
  done:
    `${WHERE.length} places × ${UP.length} ways to go up × ${FILES.length} files, as bytes that no client writes; ${QUERIES.length} queries for a program; ranges at and beyond its ends`,
  expected: "404, 400 or 422, and never a byte of a file but the program's own",
}, async (see) => {
  await using test = await startServer();
  const folder = join(test.dataDir, "agent-binaries");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, AGENT), "the program");
  await Deno.writeTextFile(join(folder, "other"), "canary60");
  const key = await Deno.readFile(join(test.dataDir, "secret.key"));
  const isFile = (body: string) =>
    /root:x:0|SQLite format|"imports"|canary60/.test(body) ||
    body.includes(new TextDecoder().decode(key));
  const statuses = new Map<number, number>();
  const look = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await rawGet(test.url, path, { headers });
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    assert.ok(!isFile(answer.body), `${path}: ${answer.body.slice(0, 200)}`);
    return answer;
  };
  for (const where of WHERE) {
    for (const up of UP) {
      for (const file of FILES) {
        const path = `${where.replace("HASH", assetsHash)}${up}/${up}/${file}`;
        const { status } = await look(path);
        assert.ok([400, 404].includes(status), `${path}: ${status}`);
      }
    }
  }
  for (const query of QUERIES) {
    for (const path of ["/agent/binary", "/agent/binary.sha256"]) {
      const { status } = await look(`${path}?${query}`);
      assert.ok([404, 422].includes(status), `${path}?${query}: ${status}`);
    }
  }
  const arch = AGENT.endsWith("arm64") ? "arm64" : "x64";
  const parts: string[] = [];
  for (
    const range of ["0-0", "-3", "5-", "11-", "-0", "0-99999999999999", "9-3", "0-1,2-3", "x", "-"]
  ) {
    const { status, body } = await look(`/agent/binary?os=linux&arch=${arch}`, {
      range: `bytes=${range}`,
    });
    assert.ok(status === 416 ? body === "" : "the program".includes(body), `${range}: ${body}`);
    parts.push(`${range}: ${status}`);
  }
  see(
    `${[...statuses].map(([status, count]) => `${count} × ${status}`).join(", ")}; ranges ${
      parts.join(", ")
    }`,
  );
});
