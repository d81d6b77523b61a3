import assert from "node:assert/strict";
import { startServer } from "../support/start_server.ts";
import { freePort, start } from "../support/programs.ts";
import { eventually } from "../support/eventually.ts";
import { fault } from "../support/trial.ts";

const HALF = 300;

async function halfSent(url: string, text: string): Promise<Deno.TcpConn> {
  const { hostname, port, host } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text.replace("HOST", host)));
  return connection;
}

/** What comes until the connection ends. */
async function rest(connection: Deno.TcpConn): Promise<string> {
  return await new Response(connection.readable).text();
}

fault({
  id: "F35",
  promise: "half-sent bodies end after ten seconds, and half-sent heads hold up nobody",
  done:
    `${HALF} requests whose head never ends, and bodies with a length, in chunks, and one byte a second that never end; pages are read meanwhile`,
  expected: "each body ends with 408 and a closed connection after 10 s; no page takes a second",
}, async (see) => {
  await using test = await startServer();
  const heads = await Promise.all(
    Array.from({ length: HALF }, () => halfSent(test.url, "GET / HTTP/1.1\r\nHost: HOST\r\n")),
  );
  const head = "POST /api/auth/login HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n";
  const began = performance.now();
  const bodies = await Promise.all([
    halfSent(test.url, `${head}Content-Length: 1000\r\n\r\n{"username"`),
    halfSent(test.url, `${head}Transfer-Encoding: chunked\r\n\r\n3\r\n{"u\r\n`),
    halfSent(test.url, `${head}Content-Length: 1000\r\n\r\n{`),
  ]);
  const dripping = setInterval(() => {
    bodies[2]!.write(new TextEncoder().encode("x")).catch(() => clearInterval(dripping));
  }, 1000);
  let isOver = false;
  const answers = Promise.all(bodies.map(rest)).finally(() => isOver = true);
  let slowest = 0;
  while (!isOver) {
    const at = performance.now();
    const { status } = await test.api("alice", "GET", "/");
    slowest = Math.max(slowest, performance.now() - at);
    assert.equal(status, 200);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  clearInterval(dripping);
  const took = performance.now() - began;
  const found = await answers;
  see(
    `${found.map((text) => text.split("\r\n")[0])} after ${Math.round(took)} ms; slowest page ${
      Math.round(slowest)
    } ms`,
  );
  for (const text of found) assert.match(text, /^HTTP\/1\.1 408 .*too_slow/s);
  assert.ok(took > 9000 && took < 13_000);
  assert.ok(slowest < 1000);
  for (const each of heads) each.close();
});

fault({
  id: "F35, start",
  promise: "a server that everybody can reach says that it needs a proxy before it",
  done: "the server is started with RM_LISTEN=0.0.0.0 and with 127.0.0.1",
  expected: "the first says so in its log, the second does not",
}, async (see) => {
  const printed = [];
  for (const address of ["0.0.0.0", "127.0.0.1"]) {
    const dataDir = await Deno.makeTempDir();
    await using server = start("server", ["serve"], {
      RM_DATA_DIR: dataDir,
      RM_LISTEN: `${address}:${freePort()}`,
    });
    await eventually("it has started", () => server.printed().includes("/setup?token="));
    printed.push(/put a reverse proxy before it/.test(server.printed()));
    await server.end("SIGKILL");
    await Deno.remove(dataDir, { recursive: true });
  }
  see(`said by 0.0.0.0 and by 127.0.0.1: ${printed}`);
  assert.deepEqual(printed, [true, false]);
});
