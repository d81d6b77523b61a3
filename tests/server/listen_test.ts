// The server keeps listening: real processes whose accept() fails by strace, and the watch over the socket with a fast pace.
import assert from "node:assert/strict";
import { join } from "node:path";
import { createLog } from "../../shared/log.ts";
import { Listener, type ListenPace } from "../../server/listen.ts";
import { askHealth } from "../../server/own_health.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, type Program, runOnce, start } from "../support/programs.ts";

/** A server whose accept() calls fail as the expression says. */
async function withFailingAccept(
  expression: string,
  work: (server: Program, url: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rm-listen-" });
  const listen = `127.0.0.1:${freePort()}`;
  try {
    await using server = start(
      "server",
      ["serve"],
      { RM_DATA_DIR: join(folder, "data"), RM_LISTEN: listen },
      // -D: the tracer stands beside it, so that its exit code is its own.
      ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=accept4", "-e", expression],
    );
    await eventually("it listens", () => server.printed().includes("listens on"));
    await work(server, `http://${listen}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const answer = await askHealth({ hostname, port: Number(port) }, AbortSignal.timeout(2000));
  return answer.status === 200;
}

for (
  const fault of [
    "inject=accept4:error=EMFILE:when=1",
    "inject=accept4:error=ECONNABORTED:when=2",
    "inject=accept4:error=ENFILE:when=3",
    "inject=accept4:error=ENOMEM:when=2..4",
  ]
) {
  Deno.test(`the server listens again on its port after ${fault}`, async () => {
    await withFailingAccept(fault, async (server, url) => {
      await eventually("it says so", () => server.printed().includes("No longer listening"));
      await eventually("it is answered again", () => server.printed().includes("again\n"));
      for (let n = 0; n < 5; n++) await eventually("it answers", () => answers(url));
      assert.equal(await server.end(), 0);
    });
  });
}

Deno.test("a socket that stays open, as an agent's does, hides no failed accept, and goes on", async () => {
  // Deno settles `finished` only after the last connection.
  await withFailingAccept("inject=accept4:error=EMFILE:when=12", async (server, url) => {
    const { hostname, port } = new URL(url);
    const open = await eventually(
      "a connection",
      () => Deno.connect({ hostname, port: Number(port) }),
    );
    using _open = { [Symbol.dispose]: () => open.close() };
    const ask = async () => {
      await open.write(
        new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      );
      const piece = new Uint8Array(4096);
      const bytes = await open.read(piece);
      return new TextDecoder().decode(piece.subarray(0, bytes ?? 0));
    };
    assert.match(await ask(), /^HTTP\/1\.1 200/);
    await eventually("it says so", async () => {
      await answers(url).catch(() => false);
      return server.printed().includes("its port is closed");
    }, 40_000);
    await eventually("it answers", () => answers(url));
    assert.match(await ask(), /^HTTP\/1\.1 200/);
  });
});

Deno.test("a server that can never accept again ends non-zero, after tries that become slower", async () => {
  await withFailingAccept("inject=accept4:error=EMFILE:when=2+", async (server) => {
    assert.equal(await server.ended, 1);
    const printed = server.printed();
    const tries = printed.match(/No longer listening/g)!.length;
    assert.ok(tries > 5 && tries < 20, `${tries} tries`);
    assert.match(
      printed,
      /Ending, to be started again: .*Too many open files|each new listener ended/,
    );
  });
});

Deno.test("a port that never takes a connection, without any error, ends the server non-zero", async () => {
  await withFailingAccept("inject=accept4:error=EAGAIN:when=6+", async (server) => {
    assert.equal(await server.ended, 1);
    assert.match(server.printed(), /Ending, to be started again: .*did not answer/);
  });
});

const FAST: ListenPace = {
  retryMs: [0, 10, 10, 10],
  askMs: 5,
  tickMs: 10,
  answerTicks: 5,
  deafTicks: 20,
};

interface Case {
  hostname?: string;
  handler?: () => Response | Promise<Response>;
}

function listener({ hostname = "127.0.0.1", handler }: Case) {
  const logged: string[] = [];
  let asked = 0;
  const made = new Listener({
    hostname,
    port: 0,
    handler: () => {
      asked++;
      return handler?.() ?? new Response("ok\n");
    },
    log: createLog("debug", (line) => logged.push(line.trimEnd())),
    pace: FAST,
  });
  let reason: string | undefined;
  made.givenUp.then((why) => reason = why);
  return Object.assign(made, {
    logged,
    asked: () => asked,
    reason: () => reason,
    [Symbol.asyncDispose]: () => made.stop(),
  });
}

for (const hostname of ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost"]) {
  Deno.test(`the server asks itself when it listens on ${hostname}`, async () => {
    await using made = listener({ hostname });
    await eventually("three questions", () => made.asked() > 2);
    assert.deepEqual([made.reason(), made.logged], [undefined, []]);
  });
}

Deno.test("a handler that no longer answers is given up, one that answers with an error is not", async () => {
  let mode: "good" | "error" | "hang" = "good";
  await using made = listener({
    handler: () =>
      mode === "hang"
        ? new Promise((resolve) => setTimeout(() => resolve(new Response("late")), 1000))
        : new Response("", { status: mode === "error" ? 500 : 200 }),
  });
  await eventually("an answer", () => made.asked() > 2);
  mode = "error";
  const before = made.asked();
  await eventually("many errors", () => made.asked() > before + 40);
  assert.equal(made.reason(), undefined);
  mode = "hang";
  assert.match(await made.givenUp, /healthz did not answer, \d+ times/);
});

Deno.test("what was never answered is not given up: a firewall may stand between", async () => {
  let hangs = true;
  await using made = listener({
    handler: () =>
      hangs
        ? new Promise((resolve) => setTimeout(() => resolve(new Response("late")), 300))
        : new Response(""),
  });
  await eventually("many questions", () => made.asked() > 8);
  assert.equal(made.reason(), undefined);
  hangs = false;
});

Deno.test("check-health asks through the socket, whatever proxy is set", async () => {
  const env = { RM_LISTEN: `127.0.0.1:${freePort()}`, HTTP_PROXY: "http://127.0.0.1:9" };
  const folder = await Deno.makeTempDir({ prefix: "rm-listen-" });
  try {
    const dead = await runOnce("server", ["check-health"], env);
    assert.deepEqual([dead.code, /does not answer/.test(dead.stderr)], [1, true]);
    await using server = start("server", ["serve"], { ...env, RM_DATA_DIR: join(folder, "data") });
    await eventually("it listens", () => server.printed().includes("listens on"));
    const good = await runOnce("server", ["check-health"], env);
    assert.deepEqual([good.code, good.stdout], [0, "ok\n"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
