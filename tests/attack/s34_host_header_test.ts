import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { rawGet, rawHttp } from "../support/raw_http.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

/** Names that someone else controls, and texts that are no name, put where a name belongs. */
const HOSTS = [
  ...["evil.example", "evil.example:PORT", "127.0.0.1.evil.example", "localhost.evil.example"],
  ...["evil-localhost", "localhost.", "xn--lcalhost-54a", "127.0.0.1@evil.example:PORT"],
  ...["evil.example#@127.0.0.1:PORT", "evil.example/@127.0.0.1", "127.0.0.1, evil.example"],
  ...[
    "127.0.0.1:PORT/$(id)",
    "127.0.0.1/x?",
    "127.0.0.1#",
    "127.0.0.1\\evil.example",
    "127.0.0.1'",
  ],
  ...["a;id", "$(id)", "`id`", "a b", "user:pw@127.0.0.1:PORT", "127.0.0.1:99999", "127.0.0.1:x"],
  ...["[::1", "[::1]x", "::1", "[::ffff:127.0.0.1%25eth0]", "%6cocalhost", "\u24dbocalhost", ""],
  ...["127.0.0.1:PORT\u00a0", "0x7f.0.0.1.evil", "127.0.0.1\t.evil", '"127.0.0.1"', "*"],
];
/** Other spellings of our own address: they are answered, and written back in the usual form. */
const OURS = ["0x7f.1:PORT", "2130706433:PORT", "127.1:PORT", "LOCALHOST:PORT", "[::1]:PORT"];

async function joinCommand(test: TestServer, host: string, headers: Record<string, string> = {}) {
  const body = JSON.stringify({
    hostname: `host-${crypto.randomUUID()}`,
    repository: { name: crypto.randomUUID(), url: "/srv/r", is_new: true },
  });
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return await rawHttp(
    test.url,
    `POST /api/enrollment-tokens HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${test.tokens.alice}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n${more}Connection: close\r\n\r\n${body}`,
  );
}

attack({
  id: "S34",
  promise:
    "the server answers to its own name alone, and no text of a request gets into a command or link",
  done:
    `${HOSTS.length} Host headers of others and of no name at all, without RM_BASE_URL, with it, and by a proxy that hands X-Forwarded-Host on; pages, the API and the join command`,
  expected:
    "400 or 403 with the headers of every answer, nothing in the log as a fault; of own spellings only the usual form is in the command",
}, async (see) => {
  const seen: string[] = [];
  const settings: Record<string, Record<string, string>> = {
    "without RM_BASE_URL": {},
    "with RM_BASE_URL": { RM_BASE_URL: "https://backup.example.org" },
    "by a proxy": { RM_TRUSTED_PROXY: "127.0.0.1" },
  };
  for (const [what, env] of Object.entries(settings)) {
    await using test = await startServer({ env });
    const { port } = new URL(test.url);
    const counts = new Map<number, number>();
    for (const text of HOSTS) {
      const host = text.replaceAll("PORT", port);
      const forwarded = { "x-forwarded-host": host };
      const isByProxy = what === "by a proxy";
      // Of a list the first is the one that the client called.
      if (isByProxy && host.startsWith("127.0.0.1,")) continue;
      const answers = isByProxy
        ? [
          await rawGet(test.url, "/login", { headers: { ...forwarded, accept: "text/html" } }),
          await joinCommand(test, `127.0.0.1:${port}`, forwarded),
        ]
        : [
          await rawGet(test.url, "/login", { host, headers: { accept: "text/html" } }),
          await rawGet(test.url, "/healthz", { host }),
          await rawGet(test.url, "/ws/agent/pending?pending_id=x", {
            host,
            headers: { upgrade: "websocket", connection: "upgrade" },
          }),
          await joinCommand(test, host),
        ];
      for (const { status, headers, body } of answers) {
        counts.set(status, (counts.get(status) ?? 0) + 1);
        assert.ok(
          [400, 403].includes(status),
          `${what}: ${JSON.stringify(host)}: ${status} ${body}`,
        );
        assert.ok(!body.includes("rmt_") && headers.get("location") === null);
        // Bytes that are no HTTP are answered below us, with nothing.
        if (body !== "") assert.match(headers.get("content-security-policy") ?? "", /'none'/);
      }
    }
    const faults = test.logged.filter((line) => / error /.test(line));
    assert.deepEqual(faults, []);
    seen.push(
      `${what}: ${[...counts].map(([status, count]) => `${count} × ${status}`).join(", ")}`,
    );
  }
  await using test = await startServer();
  const { port } = new URL(test.url);
  const commands: string[] = [];
  for (const text of OURS) {
    const { status, body } = await joinCommand(test, text.replace("PORT", port));
    assert.equal(status, 201, text);
    const command: string = JSON.parse(body.slice(body.indexOf("{"))).commands.linux;
    const [, address] = /RM_SERVER=(\S+)/.exec(command)!;
    commands.push(`${text} → ${address}`);
  }
  see(`${seen.join("; ")}; ${commands.join(", ")}`);
  const usual = new Set(
    ["127.0.0.1", "localhost", "[::1]"].map((name) => `http://${name}:${port}`),
  );
  for (const command of commands) {
    const address = command.split(" → ")[1]!.replaceAll("'", "");
    assert.ok(usual.has(address), command);
  }
});
