// Where nothing may be made: the fake REST server holds what a damaged repository would.
import assert from "node:assert/strict";
import { FakeRestic } from "../../support/fake_restic.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { access, jobId, startAgent, testFolder } from "../../support/start_agent.ts";

const NONE = `case "$(cat $(dirname $0)/made 2>/dev/null)" in
  1) echo '[]' ;;
  *) echo 'Fatal: unable to open config file: <config/> does not exist' >&2; exit 1 ;;
esac`;
const VERBS = { snapshots: NONE, init: "echo 1 > $(dirname $0)/made" };

async function initAt(url: string, version: string, user: Parameters<typeof access>[1] = {}) {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: VERBS, version });
  await using server = new FakeServer({ config: { repository: access(url, user) } });
  await using _agent = await startAgent(server, { directory: folder.path, restic: restic.path });
  const id = jobId();
  server.run({ job_id: id, kind: "init", may_create: true });
  const end = await server.finished(id);
  return { end, verbs: restic.starts.map(({ args }) => args.split(" ")[0]) };
}

/** A repository server that answers these paths; others with 404. */
function repositoryServer(answers: Record<string, string | number>) {
  const asked: Headers[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    asked.push(new Headers(request.headers));
    const answer = answers[new URL(request.url).pathname] ?? 404;
    return typeof answer === "number"
      ? new Response("", { status: answer })
      : new Response(answer, { headers: { "content-type": "application/vnd.x.restic.rest.v2" } });
  });
  return {
    asked,
    url: `rest:http://127.0.0.1:${server.addr.port}/alpha/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const KEYS = `[{"name":"ab","size":450}]`;

Deno.test("an empty place on a REST server is free: the repository is made and verified", async () => {
  await using rest = repositoryServer({ "/alpha/keys/": "[]" });
  const user = { username: "alpha", rest_password: "pä:ss" };
  const { end, verbs } = await initAt(rest.url, "0.14.0", user);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(end.created, true);
  assert.deepEqual(verbs, ["snapshots", "init", "snapshots", "cat"]);
  const [headers] = rest.asked;
  assert.equal(headers?.get("accept"), "application/vnd.x.restic.rest.v2");
  const basic = `Basic ${new TextEncoder().encode("alpha:pä:ss").toBase64()}`;
  assert.equal(headers?.get("authorization"), basic);
});

for (const version of ["0.14.0", "0.18.0"]) {
  for (const folder of ["keys", "snapshots"]) {
    Deno.test(`${folder} without a config on a REST server are a damaged repository (restic ${version})`, async () => {
      await using rest = repositoryServer({ [`/alpha/${folder}/`]: KEYS });
      const { end, verbs } = await initAt(rest.url, version);
      assert.equal(end.reason_code, "damaged");
      assert.match(end.reason ?? "", new RegExp(`There is ${folder} at rest:`));
      assert.deepEqual(verbs, ["snapshots"]);
    });
  }
}

Deno.test("a REST server that does not show its folders stops an old restic, not one that looks by itself", async () => {
  await using rest = repositoryServer({ "/alpha/keys/": 403, "/alpha/snapshots/": 500 });
  assert.equal((await initAt(rest.url, "0.16.5")).end.status, "failed");
  assert.equal((await initAt(rest.url, "0.17.0")).end.status, "succeeded");
});

Deno.test("on other backends only a restic that looks by itself makes a repository", async () => {
  const old = await initAt("s3:https://s3.example/bucket", "0.16.5");
  assert.equal(old.end.reason_code, "needs_newer_restic");
  assert.match(old.end.reason ?? "", /needs restic 0\.17 or newer/);
  assert.deepEqual(old.verbs, ["snapshots"]);
  const recent = await initAt("s3:https://s3.example/bucket", "0.17.0");
  assert.equal(recent.end.created, true, recent.end.reason ?? "");
});
