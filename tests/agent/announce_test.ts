// The agent that asks for approval, as a program, against the real server and against things that only pretend to be one.
import assert from "node:assert/strict";
import { join } from "node:path";
import { announce } from "../../agent/announce.ts";
import { openIdentity } from "../../agent/identity.ts";
import { createLog } from "../../shared/log.ts";
import { ResticFinder } from "../../agent/restic/version.ts";
import { readSettings } from "../../agent/settings.ts";
import { Backoff } from "../../shared/backoff.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { freePort } from "../support/programs.ts";
import { spawnAgent, testFolder } from "../support/start_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const SHUT = "http://127.0.0.1:9";

/** announce() in this process, with short waits. */
function asking(directory: string, server: string) {
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
    backoff: new Backoff(20, 100),
    signal: stop.signal,
  });
  // It is looked at later; until then nobody else catches it.
  done.catch(() => {});
  return { done, logged, printed, stop: () => stop.abort(new Error("stopped")) };
}

// deno-lint-ignore no-explicit-any
async function waiting(test: TestServer, connected = true): Promise<any> {
  return await eventually("the machine waits", async () => {
    const { body } = await test.api("olive", "GET", "/api/pending-hosts");
    return body.items.find((each: { connected: boolean }) => each.connected === connected);
  });
}

async function accept(test: TestServer, row: { id: string; fingerprint: string }) {
  const { status, body } = await test.api("alice", "POST", `/api/pending-hosts/${row.id}/accept`, {
    fingerprint: row.fingerprint,
    name: "anna",
    repository: { name: "one", url: "/srv/one", password: "a password", is_new: true },
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Something that answers HTTP where a server should. */
function pretend(answer: (request: Request) => Response | Promise<Response>) {
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, answer);
  return {
    url: `http://127.0.0.1:${http.addr.port}`,
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
}

Deno.test("without a token the agent announces, prints the banner once, and stores what it receives", async () => {
  using folder = testFolder();
  await using test = await startServer();
  const agent = asking(folder.path, test.url);
  const row = await waiting(test);
  assert.equal(agent.printed.length, 1);
  const banner = agent.printed[0]!;
  const { fingerprint } = openIdentity(join(folder.path, "state"));
  assert.equal(row.fingerprint, fingerprint);
  assert.equal(/^ {2}fingerprint {2}(SHA256:[0-9a-f]{64})$/m.exec(banner)?.[1], fingerprint);
  assert.equal(/^ {2}host {9}(.+)$/m.exec(banner)?.[1], row.hostname);
  assert.equal(banner.match(/^={72}$/gm)?.length, 2);
  const grouped = [...banner.matchAll(/^ {6}((?:[0-9a-f]{4} +){7}[0-9a-f]{4})$/gm)];
  assert.equal(grouped.map(([, line]) => line!.replaceAll(" ", "")).join(""), fingerprint.slice(7));
  assert.equal(agent.logged.filter((line) => line.includes(fingerprint)).length, 1);
  const { host_id } = await accept(test, row);
  const bearer = await agent.done;
  const yaml = Deno.readTextFileSync(join(folder.path, "config/agent.yaml"));
  assert.ok(yaml.includes(`host_id: ${host_id}`) && yaml.includes(bearer));
  assert.equal(agent.printed[1], "accepted: this machine is now host anna");
  assert.ok(![...agent.logged, ...agent.printed].join("").includes(bearer));
  await (await FakeAgent.connect(test.url, bearer)).close();
});

Deno.test("it waits through whatever the server and the way to it do", async () => {
  using folder = testFolder();
  const dataDir = await Deno.makeTempDir({ prefix: "rm-server-" });
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const agent = asking(folder.path, url);
  await eventually("it found nobody", () => /cannot be reached/.test(agent.logged.join("")));
  {
    // A proxy whose server is not there yet.
    const proxy = Deno.serve(
      { port, hostname: "127.0.0.1", onListen() {} },
      () => new Response("<h1>Not found</h1>", { status: 404 }),
    );
    await eventually("it heard the proxy", () => /answers 404/.test(agent.logged.join("")));
    await proxy.shutdown();
  }
  const first = await startServer({ dataDir, port });
  const row = await waiting(first);
  await first.stop();
  const second = await startServer({ dataDir, port, people: false });
  Object.assign(second.tokens, first.tokens);
  assert.equal((await waiting(second)).id, row.id, "the same row");
  // Its row is gone, as after an hour without it: it announces itself again.
  await second.server.db.deleteFrom("pending_hosts").execute();
  second.server.waiting.closeAll(4000, "test");
  const after = await waiting(second);
  assert.notEqual(after.id, row.id);
  assert.equal(after.fingerprint, row.fingerprint);
  await accept(second, after);
  await agent.done;
  assert.equal(agent.printed.length, 2, "one banner and one line");
  await second.stop();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("accepted while nobody was there, it receives its enrolment when it comes back", async () => {
  using folder = testFolder();
  await using test = await startServer();
  const first = asking(folder.path, test.url);
  const row = await waiting(test);
  first.stop();
  await assert.rejects(first.done, /stopped/);
  await waiting(test, false);
  const { host_id } = await accept(test, row);
  const second = asking(folder.path, test.url);
  await second.done;
  const yaml = Deno.readTextFileSync(join(folder.path, "config/agent.yaml"));
  assert.ok(yaml.includes(`host_id: ${host_id}`));
});

Deno.test("rejected, it stops asking with exit code 7 and says why; status shows it; the next start asks once", async () => {
  using folder = testFolder();
  await using test = await startServer();
  const environment = { RM_SERVER: test.url, RM_RESTIC: "/nowhere/restic" };
  await using agent = spawnAgent(folder.path, environment);
  const row = await waiting(test);
  await test.api("alice", "POST", `/api/pending-hosts/${row.id}/reject`);
  const { code, stdout, stderr } = await agent.end();
  assert.equal(code, 7, stderr);
  assert.match(stdout, /^rejected: An admin rejected this machine\./m);
  assert.match(stderr, /An admin rejected this machine/);
  await using status = spawnAgent(folder.path, environment, ["status"]);
  assert.match((await status.end()).stdout, /approval +rejected at .*An admin rejected/);
  await using again = spawnAgent(folder.path, environment);
  const second = await again.end();
  assert.equal(second.code, 7);
  assert.match(second.stderr, /may ask again after 20.* or when an admin allows it/);
  await test.api("alice", "DELETE", `/api/rejected-keys/${row.id}`);
  await using allowed = spawnAgent(folder.path, environment);
  assert.equal((await waiting(test)).fingerprint, row.fingerprint);
  allowed.child.kill("SIGTERM");
  assert.equal((await allowed.end()).code, 0);
});

Deno.test("a server that needs a newer agent ends it with exit code 7", async () => {
  using folder = testFolder();
  const error = { code: "agent_too_old", message: "Update the agent: it speaks protocol 1." };
  await using server = pretend(() => Response.json({ error }, { status: 422 }));
  await using agent = spawnAgent(folder.path, { RM_SERVER: server.url });
  const { code, stderr } = await agent.end();
  assert.equal(code, 7);
  assert.match(stderr, /Update the agent: it speaks protocol 1\./);
});

Deno.test("a redirect ends it with a sentence: another server must not be shown to the one who compares", async () => {
  using folder = testFolder();
  await using server = pretend(() => Response.redirect("http://127.0.0.1:9/", 307));
  await using agent = spawnAgent(folder.path, { RM_SERVER: server.url });
  const { code, stderr } = await agent.end();
  assert.equal(code, 1);
  assert.match(stderr, /redirects to .* Set RM_SERVER/);
});

Deno.test("a busy server is asked again after the time that it names, and its sentence is logged", async () => {
  using folder = testFolder();
  let asked = 0;
  await using server = pretend(() => {
    asked++;
    const error = { code: "unavailable", message: "100 machines wait for approval already." };
    return Response.json({ error }, { status: 503, headers: { "retry-after": "2" } });
  });
  const agent = asking(folder.path, server.url);
  const from = performance.now();
  await eventually("it asked twice", () => asked === 2);
  assert.ok(performance.now() - from > 1800);
  assert.match(agent.logged.join(""), /answers 503: 100 machines wait for approval already\./);
  agent.stop();
  await assert.rejects(agent.done, /stopped/);
  assert.equal(agent.printed.length, 0);
});

Deno.test("nonsense on the socket, or an answer for another key, is no reason to give up or to believe it", async () => {
  using folder = testFolder();
  let sockets = 0;
  const wrong = {
    fingerprint: `SHA256:${"0".repeat(64)}`,
    pending_id: "x",
    hostname_collision: false,
  };
  let answer: () => unknown = () => wrong;
  await using server = pretend((request) => {
    if (request.headers.get("upgrade") !== "websocket") return Response.json(answer());
    const { socket, response } = Deno.upgradeWebSocket(request);
    sockets++;
    socket.onopen = () =>
      socket.send(["{bad", '{"type":"enrolled"}', '{"type":"nonce"}'][sockets % 3]!);
    return response;
  });
  const agent = asking(folder.path, server.url);
  await eventually(
    "it does not believe it",
    () => /does not answer as a/.test(agent.logged.join("")),
  );
  assert.equal(agent.printed.length, 0);
  const { fingerprint } = openIdentity(join(folder.path, "state"));
  answer = () => ({ ...wrong, fingerprint });
  await eventually("it tries again and again", () => sockets >= 4);
  assert.match(agent.logged.join(""), /the server sent nonsense/);
  agent.stop();
  await assert.rejects(agent.done, /stopped/);
});

Deno.test("a damaged key or a configuration that cannot be written ends it before it asks anybody", async () => {
  using folder = testFolder();
  Deno.mkdirSync(join(folder.path, "state"));
  Deno.writeTextFileSync(join(folder.path, "state/identity.key"), "damaged", { mode: 0o600 });
  await using damaged = spawnAgent(folder.path, { RM_SERVER: SHUT });
  const first = await damaged.end();
  assert.equal(first.code, 1);
  assert.match(
    first.stderr,
    /identity\.key is not an Ed25519 key in PEM\. The file was left as it is\./,
  );
  assert.equal(Deno.readTextFileSync(join(folder.path, "state/identity.key")), "damaged");
  Deno.removeSync(join(folder.path, "state/identity.key"));
  Deno.writeTextFileSync(join(folder.path, "config"), "in the way");
  await using unwritable = spawnAgent(folder.path, { RM_SERVER: SHUT });
  assert.equal((await unwritable.end()).code, 1);
});
