import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { startServer } from "../../support/start_server.ts";

const PROGRAM = new Uint8Array(300_000).map((_, n) => n * 7 % 251);
const SHA256 = createHash("sha256").update(PROGRAM).digest("hex");

async function setUp() {
  const test = await startServer();
  const folder = join(test.dataDir, "agent-binaries");
  Deno.mkdirSync(folder);
  Deno.writeFileSync(join(folder, "restic-manager-agent-linux-x64"), PROGRAM);
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${test.url}${path}`, { method, headers });
  return { test, folder, get };
}

Deno.test("anybody may fetch the agent, under every name of its processor, with its checksum", async () => {
  const { test, get } = await setUp();
  await using _ = test;
  for (const arch of ["x64", "amd64", "x86_64", "AMD64"]) {
    const answer = await get(`/agent/binary?os=linux&arch=${arch}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-checksum-sha256"), SHA256);
    assert.equal(answer.headers.get("content-length"), `${PROGRAM.length}`);
    assert.deepEqual(await answer.bytes(), PROGRAM);
  }
  const sum = await get("/agent/binary.sha256?os=linux&arch=amd64");
  assert.equal(await sum.text(), `${SHA256}\n`);
  const head = await get("/agent/binary?os=linux&arch=x64", {}, "HEAD");
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  const again = await get("/agent/binary?os=linux&arch=x64", { "If-None-Match": `"${SHA256}"` });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
});

Deno.test("a download that broke off goes on where it was", async () => {
  const { test, get } = await setUp();
  await using _ = test;
  const path = "/agent/binary?os=linux&arch=x64";
  const last = PROGRAM.length - 1;
  const cases: [string, number, number, number][] = [
    ["bytes=0-0", 206, 0, 0],
    ["bytes=100-70099", 206, 100, 70_099],
    ["bytes=299999-", 206, last, last],
    ["bytes=-5", 206, last - 4, last],
    ["bytes=0-9999999", 206, 0, last],
    ["bytes=-9999999", 206, 0, last],
    ["bytes=5-2", 200, 0, last],
    ["bytes=0-1,5-6", 200, 0, last],
    ["lines=1-2", 200, 0, last],
    ["bytes=-", 200, 0, last],
  ];
  for (const [Range, status, from, to] of cases) {
    const answer = await get(path, { Range });
    assert.equal(answer.status, status, Range);
    assert.deepEqual(await answer.bytes(), PROGRAM.subarray(from, to + 1), Range);
    if (status === 206) {
      const range = `bytes ${from}-${to}/${PROGRAM.length}`;
      assert.equal(answer.headers.get("content-range"), range);
    }
  }
  const beyond = await get(path, { Range: "bytes=300000-" });
  assert.deepEqual([beyond.status, beyond.headers.get("content-range"), await beyond.text()], [
    416,
    `bytes */${PROGRAM.length}`,
    "",
  ]);
  const changed = await get(path, { "Range": "bytes=5-9", "If-Range": '"another file"' });
  assert.deepEqual([changed.status, (await changed.bytes()).length], [200, PROGRAM.length]);
});

Deno.test("a replaced program has its new checksum at once", async () => {
  const { test, get, folder } = await setUp();
  await using _ = test;
  const sum = async () =>
    (await (await get("/agent/binary.sha256?os=linux&arch=x64")).text()).trim();
  assert.equal(await sum(), SHA256);
  const next = new TextEncoder().encode("the next version");
  Deno.writeFileSync(join(folder, "restic-manager-agent-linux-x64"), next);
  assert.equal(await sum(), createHash("sha256").update(next).digest("hex"));
});

Deno.test("what there is none of is answered with what there is, and nothing else can be fetched", async () => {
  const { test, get, folder } = await setUp();
  await using _ = test;
  Deno.writeTextFileSync(join(folder, "secret"), "of someone");
  Deno.symlinkSync("/etc/passwd", join(folder, "restic-manager-agent-linux-arm64x"));
  const none = await get("/agent/binary?os=windows&arch=x64");
  assert.equal(none.status, 404);
  assert.equal(
    (await none.json()).error.message,
    "This server has no agent for windows x64. It has: linux x64.",
  );
  for (
    const [query, field] of [
      ["", "os"],
      ["?os=plan9&arch=x64", "os"],
      ["?os=linux", "arch"],
      ["?os=linux&arch=../secret", "arch"],
      ["?os=../agent-binaries&arch=x64", "os"],
      ["?os=__proto__&arch=x64", "os"],
      ["?os=linux&arch=constructor", "arch"],
    ]
  ) {
    for (const path of ["/agent/binary", "/agent/binary.sha256"]) {
      const answer = await get(path + query);
      assert.equal(answer.status, 422, query);
      assert.equal((await answer.json()).error.field, field, query);
    }
  }
  for (
    const path of [
      "/agent/secret",
      "/agent/binary/../secret",
      "/agent/binary%2f..%2fsecret",
      "/install/secret",
      "/install/..%2fagent-binaries%2fsecret",
      "/install/%2e%2e/agent-binaries/secret",
      "/install/nssm.exe%00",
      "/install/",
    ]
  ) {
    const answer = await get(path);
    assert.ok([401, 404].includes(answer.status), `${path}: ${answer.status}`);
    assert.doesNotMatch(await answer.text(), /of someone|root:/);
  }
  const nssm = await get("/install/nssm.exe");
  assert.equal(nssm.status, 404);
  assert.match((await nssm.json()).error.message, /agent-binaries/);
  Deno.writeTextFileSync(join(folder, "nssm.exe"), "MZ");
  assert.equal(await (await get("/install/nssm.exe")).text(), "MZ");
});

Deno.test("installers are the same for everybody, whatever is asked", async () => {
  const { test, get } = await setUp();
  await using _ = test;
  for (const name of ["install.sh", "install.ps1"]) {
    const script = await Deno.readTextFile(new URL(`../../../deploy/${name}`, import.meta.url));
    for (const path of [`/install/${name}`, `/install/${name}?token=$(id)&server=a;id`]) {
      const answer = await get(path, { "Accept": "text/html" });
      assert.equal(await answer.text(), script);
      assert.match(answer.headers.get("content-type")!, /^text\/plain/);
    }
  }
});
