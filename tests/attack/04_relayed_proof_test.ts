import assert from "node:assert/strict";
import { join } from "node:path";
import { readSettings } from "../../agent/settings.ts";
import { announce } from "../../agent/announce.ts";
import { createLog } from "../../shared/log.ts";
import { ResticFinder } from "../../agent/restic/version.ts";
import { serverAddress } from "../../shared/server_address.ts";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { testFolder } from "../support/start_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

/** Someone in between: takes what comes and hands it on to the server, byte by byte. */
function relay(to: string, hostname: string, port = 0) {
  const { hostname: server, port: serverPort } = new URL(to);
  const listener = Deno.listen({ hostname, port });
  const open = new Set<Deno.Conn>();
  (async () => {
    for await (const near of listener) {
      const far = await Deno.connect({ hostname: server, port: Number(serverPort) });
      open.add(near).add(far);
      near.readable.pipeTo(far.writable).catch(() => {});
      far.readable.pipeTo(near.writable).catch(() => {});
    }
  })();
  return {
    url: `http://${hostname}:${(listener.addr as Deno.NetAddr).port}`,
    [Symbol.dispose]: () => {
      listener.close();
      for (const each of open) {
        try {
          each.close();
        } catch {
          // The other end has closed it.
        }
      }
    },
  };
}

/** The real agent's own asking, in this process. */
function agentAt(directory: string, server: string) {
  const stop = new AbortController();
  const environment: Record<string, string> = {
    RM_SERVER: server,
    RM_CONFIG_DIR: join(directory, "config"),
    RM_STATE_DIR: join(directory, "state"),
  };
  const logged: string[] = [];
  const printed: string[] = [];
  Deno.mkdirSync(environment.RM_STATE_DIR!, { recursive: true });
  const done = announce({
    settings: { ...readSettings((name) => environment[name]), server },
    log: createLog("debug", (line) => logged.push(line)),
    print: (text) => printed.push(text),
    restic: new ResticFinder("/nowhere/restic"),
    signal: stop.signal,
  });
  done.catch(() => {});
  return { logged, printed, stop: () => (stop.abort(new Error("stopped")), done.catch(() => {})) };
}

async function rowOf(test: TestServer) {
  return (await test.api("olive", "GET", "/api/pending-hosts")).body.items[0];
}

const CASES: [
  string,
  (test: TestServer) => { url: string } & Disposable,
  Record<string, string>,
][] = [
  ["on another port", (test) => relay(test.url, "127.0.0.1"), {}],
  [
    "on another address of the same machine, with the same port",
    (test) => relay(test.url, "127.0.0.2", Number(new URL(test.url).port)),
    {},
  ],
  [
    "to a server with RM_BASE_URL",
    (test) => relay(test.url, "127.0.0.1"),
    { RM_BASE_URL: "http://127.0.0.1:9" },
  ],
];
for (const [what, between, env] of CASES) {
  attack({
    id: "promise 4",
    promise: "a proof that someone in between hands on is worth nothing",
    done: `a real agent announces itself to a relay ${what}`,
    expected: "no row is proven; agent, banner and the server's log say why and name RM_BASE_URL",
  }, async (see) => {
    using folder = testFolder();
    await using test = await startServer({ env });
    using middle = between(test);
    const agent = agentAt(folder.path, middle.url);
    const refusal = await eventually(
      "the server refuses the proof",
      () =>
        test.logged.find((line) => /proof of pending host .* is refused: .*RM_BASE_URL/.test(line)),
      10_000,
    );
    const told = await eventually(
      "the agent says so",
      () => agent.logged.find((line) => /refuses this machine's proof.*RM_BASE_URL/.test(line)),
      10_000,
    );
    await agent.stop();
    const row = await rowOf(test);
    see(
      `server: ${refusal.slice(0, 160)}; agent: ${told.slice(0, 80)}…; proven_at ${row.proven_at}`,
    );
    assert.equal(row.proven_at, null);
    assert.match(
      agent.printed[0]!.replaceAll(/\s+/g, " "),
      /refuses this machine's proof.*RM_BASE_URL/,
    );
  });
}

attack({
  id: "promise 4",
  promise: "nobody in between can write another server or another machine into a proof",
  done:
    "signed text and said text differ: the server, each field of the machine, and a proof of before for another name",
  expected: "4011 for each; only what was signed for this server is taken",
}, async (see) => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.0/8" } });
  const anna = await Announcer.announced(test, "pc-anna");
  const evil = serverAddress("http://evil.example:80")!;
  const tries: [string, (nonce: string) => Promise<object>][] = [
    [
      "another server said",
      (nonce) => anna.proof(nonce, test.url, { server: evil, said: serverAddress(test.url)! }),
    ],
    ...Object.entries({
      hostname: "root",
      os: "windows",
      arch: "arm",
      agent_version: "9",
      restic_version: "9",
    })
      .map(([field, value]) =>
        [
          `another ${field}`,
          async (nonce: string) => {
            const proof = await anna.proof(nonce, test.url);
            return { ...proof, machine: { ...proof.machine, [field]: value } };
          },
        ] as [string, (nonce: string) => Promise<object>]
      ),
  ];
  const codes: number[] = [];
  for (const [, make] of tries) {
    const socket = await anna.dial(test.url);
    socket.send(await make(await socket.nonce()));
    codes.push((await socket.untilClosed()).code);
  }
  const relayed = await anna.dial(test.url);
  relayed.send(await anna.proof(await relayed.nonce(), test.url, { server: evil }));
  codes.push((await relayed.untilClosed()).code);
  const good = await anna.wait(test.url);
  see(`close codes ${codes.join(", ")}; then its own proof is taken`);
  assert.deepEqual(codes, [...tries.map(() => 4011), 4013]);
  await good.close();
});

attack({
  id: "promise 4",
  promise: "over plain HTTP beyond loopback, banner and row say that the line can be read",
  done:
    "a real agent announces itself by http to an address of the network, by http to loopback, and through a proxy with TLS in front",
  expected: "words on banner and row for the first; none for the others",
}, async (see) => {
  const words = /plain HTTP/;
  const seen: string[] = [];
  const network = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  )?.address;
  for (const hostname of [network, "localhost"]) {
    // A machine without a network has only the second.
    if (!hostname) continue;
    using folder = testFolder();
    await using test = await startServer({ env: { RM_LISTEN: "0.0.0.0:0" } });
    const agent = agentAt(folder.path, `http://${hostname}:${new URL(test.url).port}`);
    const row = await eventually("the row is proven", async () => {
      const found = await rowOf(test);
      return found?.proven_at ? found : undefined;
    }, 10_000);
    await agent.stop();
    const page = await (await fetch(`${test.url}/pending-hosts`, {
      headers: { authorization: `Bearer ${test.tokens.alice}`, accept: "text/html" },
    })).text();
    const isPlain = hostname !== "localhost";
    seen.push(`${isPlain ? "network" : hostname}: row ${row.plain_http}`);
    assert.equal(row.plain_http, isPlain);
    assert.equal(words.test(agent.printed[0]!), isPlain, agent.printed[0]);
    assert.equal(words.test(page), isPlain);
  }
  await using test = await startServer({
    env: { RM_BASE_URL: "https://backup.example.org", RM_TRUSTED_PROXY: "127.0.0.0/8" },
  });
  const anna = await Announcer.announced(test, "pc-anna", "203.0.113.9");
  const before = await rowOf(test);
  const socket = await anna.wait(test.url, { server: "https://backup.example.org:443" });
  const after = await rowOf(test);
  await socket.close();
  seen.push(`TLS proxy: row ${before.plain_http}, ${after.plain_http}`);
  see(seen.join("; "));
  assert.deepEqual([before.plain_http, after.plain_http, after.proven_at !== null], [
    false,
    false,
    true,
  ]);
});
