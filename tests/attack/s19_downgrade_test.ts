import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { FakeServer } from "../support/fake_server.ts";
import { spawnAgent, startAgent, testFolder } from "../support/start_agent.ts";
import { startServer } from "../support/start_server.ts";
import { PROTOCOL_VERSION } from "../../shared/protocol.ts";

/** Answers everything with this and notes what it was asked for. */
function listen(answer: (request: Request) => Response) {
  const asked: { path: string; authorization: string | null; body: string }[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    asked.push({
      path: new URL(request.url).pathname,
      authorization: request.headers.get("authorization"),
      body: await request.text(),
    });
    return answer(request);
  });
  return {
    asked,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

attack({
  id: "S19",
  promise: "an agent goes to no other server than the one that it was told, however it is asked to",
  done:
    "what stands in between answers every request of an agent (enrolment, announcement, connection) with each kind of redirect, with a page and with an upgrade to something else",
  expected: "nothing is ever asked of the other address; no token and no bearer goes there",
}, async (see) => {
  const seen: string[] = [];
  for (const status of [301, 302, 303, 307, 308]) {
    await using evil = listen(() => Response.json({ host_id: "x", bearer: "x", fingerprint: "x" }));
    await using between = listen((request) =>
      new Response(null, {
        status,
        headers: {
          location: new URL(request.url).pathname.startsWith("/ws")
            ? `${evil.url.replace("http", "ws")}/ws/agent`
            : `${evil.url}/api/agents/enroll`,
          refresh: `0;url=${evil.url}`,
          "alt-svc": `h2="${evil.url.slice(7)}"`,
        },
      })
    );
    using folder = testFolder();
    const ways: Record<string, Record<string, string>> = {
      token: { RM_SERVER: between.url, RM_TOKEN: "rmt_token-canary" },
      announcement: { RM_SERVER: between.url },
    };
    // One program per way is slow enough: the kinds of redirect take turns.
    const [way, environment] = Object.entries(ways)[status % 2]!;
    await using agent = spawnAgent(`${folder.path}/${way}`, environment);
    await eventually("it says so and ends", () => agent.stderr().includes("redirects to"));
    await agent.end();
    using joined = testFolder();
    await Deno.mkdir(`${joined.path}/config`, { recursive: true });
    await Deno.writeTextFile(
      `${joined.path}/config/agent.yaml`,
      `server: ${between.url}\nhost_id: 11111111-1111-4111-8111-111111111111\nbearer: bearer-canary\n`,
      { mode: 0o600 },
    );
    await using connected = spawnAgent(joined.path, {});
    await eventually("it dialled", () => between.asked.some(({ path }) => path === "/ws/agent"));
    await eventually("it noticed", () => connected.stderr().includes("Not connected"));
    connected.child.kill("SIGTERM");
    await connected.end();
    seen.push(`${status}: ${way} and connection, ${evil.asked.length} asked of the other`);
    assert.deepEqual(evil.asked, []);
  }
  see(seen.join("; "));
});

attack({
  id: "S19",
  promise: "who speaks an older protocol gets nothing but the reason",
  done:
    "an agent says protocols 0, -1 and a huge one with a valid bearer; a server sends an agent messages of kinds and versions that it does not know",
  expected:
    "the older ones are closed with 4002 before any secret is sent; the agent stays connected and runs nothing",
}, async (see) => {
  await using test = await startServer();
  const { bearer } = await joinHost(test, "alpha");
  const codes: string[] = [];
  for (const protocol of [0, -1, -2_147_483_648]) {
    const agent = await FakeAgent.dial(test.url, bearer);
    agent.hello({ protocol });
    const { code } = await agent.untilClosed();
    codes.push(`${protocol}: ${code}`);
    assert.equal(code, 4002);
    assert.deepEqual(agent.received, []);
  }
  const newer = await FakeAgent.connect(test.url, bearer, { protocol: PROTOCOL_VERSION + 1000 });
  await newer.close();
  using folder = testFolder();
  await using server = new FakeServer();
  await using agent = await startAgent(server, { directory: folder.path });
  for (const type of ["command.exec", "agent.update", "protocol.set", "config.reset"]) {
    server.send({ type, protocol: 0, server: "http://127.0.0.1:9/", command: "id" });
  }
  server.send({
    ...{ type: "config.update", snapshot_host: "alpha", repository: null },
    ...{ bandwidth_up_kib_per_s: null, bandwidth_down_kib_per_s: null },
    // What an agent of another time might have listened to.
    ...{ protocol: 0, server: "http://127.0.0.1:9/", tls: false, bearer: "another" },
  });
  const unknown = () => agent.logged.filter((line) => /command\.exec|agent\.update/.test(line));
  await eventually("it has read them", () => unknown().length >= 2);
  see(`${codes.join(", ")}; connections of the agent: ${server.connections}`);
  assert.ok(agent.agent.connection.isAccepted);
  assert.equal(server.connections, 1);
});
