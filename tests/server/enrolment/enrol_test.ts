import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const MACHINE = { hostname: "m", os: "linux", arch: "x86_64", agent_version: "0.1.0" };
const REPOSITORY = { name: "one", url: "/srv/one", is_new: true };

async function token(test: TestServer, hostname = "alpha", name = "one"): Promise<string> {
  const made = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname,
    repository: { ...REPOSITORY, name },
  });
  assert.equal(made.status, 201);
  return made.body.token;
}

Deno.test("Add host answers a token, the commands for both systems, and a password that the server made", async () => {
  await using test = await startServer();
  const { status, body } = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "alpha",
    tags: ["web"],
    initial_paths: ["/home"],
    repository: REPOSITORY,
  });
  assert.equal(status, 201);
  assert.match(body.repository_password, /^[a-z2-9]{5}(-[a-z2-9]{5}){4}$/);
  assert.ok(body.commands.linux.includes(`RM_TOKEN=${body.token}`));
  assert.ok(body.commands.linux.includes(`${test.url}/install/install.sh`));
  assert.ok(body.commands.windows.includes(body.token));
  assert.ok(Date.parse(body.expires_at) > Date.now() + 3_500_000);
});

Deno.test("enrolling makes the host with its tags, a default source group and the bearer, and burns the token", async () => {
  await using test = await startServer();
  const made = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "alpha",
    tags: ["web"],
    initial_paths: ["/home"],
    repository: REPOSITORY,
  });
  const enrolled = await test.api(null, "POST", "/api/agents/enroll", {
    token: made.body.token,
    ...MACHINE,
  });
  assert.equal(enrolled.status, 200);
  const host = await test.api("victor", "GET", `/api/hosts/${enrolled.body.host_id}`);
  assert.deepEqual([host.body.name, host.body.tags, host.body.os], ["alpha", ["web"], "linux"]);
  const groups = await test.api(
    "olive",
    "GET",
    `/api/hosts/${enrolled.body.host_id}/source-groups`,
  );
  assert.deepEqual(
    groups.body.items.map((
      group: { name: string; includes: string[] },
    ) => [group.name, group.includes]),
    [["default", ["/home"]]],
  );
});

Deno.test("used, expired and invented tokens are refused with the same answer", async () => {
  await using test = await startServer();
  const used = await token(test, "alpha", "one");
  assert.equal(
    (await test.api(null, "POST", "/api/agents/enroll", { token: used, ...MACHINE })).status,
    200,
  );
  const expired = await token(test, "beta", "two");
  test.clock.passUntil(3_600_001);
  const answers = await Promise.all(
    ["invented", used, expired].map((each) =>
      test.api(null, "POST", "/api/agents/enroll", { token: each, ...MACHINE })
    ),
  );
  for (const answer of answers) {
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.body, answers[0]!.body);
  }
});

Deno.test("of fifty agents with one token exactly one becomes the host", async () => {
  await using test = await startServer();
  const one = await token(test);
  const answers = await Promise.all(
    Array.from(
      { length: 50 },
      () => test.api(null, "POST", "/api/agents/enroll", { token: one, ...MACHINE }),
    ),
  );
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
  assert.equal((await test.api("victor", "GET", "/api/hosts")).body.items.length, 1);
});

Deno.test("an agent whose answer was lost may ask again with its own key until it has connected", async () => {
  await using test = await startServer();
  const one = await token(test);
  const key = "ab".repeat(32);
  const ask = (enrolment_key: string) =>
    test.api(null, "POST", "/api/agents/enroll", { token: one, ...MACHINE, enrolment_key });
  const first = await ask(key);
  const again = await ask(key);
  assert.equal(again.status, 200);
  assert.equal(again.body.host_id, first.body.host_id);
  assert.equal((await ask("cd".repeat(32))).status, 401);
  await assert.rejects(FakeAgent.dial(test.url, first.body.bearer));
  const agent = await FakeAgent.connect(test.url, again.body.bearer);
  await agent.close();
  assert.equal((await ask(key)).status, 401);
});

Deno.test("Add host refuses bad input by the field's name and leaves no repository behind", async (t) => {
  await using test = await startServer();
  await joinHost(test, "taken");
  const good = { hostname: "alpha", repository: REPOSITORY };
  const cases: [string, unknown, string][] = [
    ["no body", {}, "hostname"],
    ["no repository", { hostname: "alpha" }, "repository_id"],
    ["a name with markup", { ...good, hostname: "<script>" }, "hostname"],
    ["a name that is an option", { ...good, hostname: "-oProxyCommand=x" }, "hostname"],
    ["a name that is too long", { ...good, hostname: "x".repeat(201) }, "hostname"],
    ["a relative path", { ...good, initial_paths: ["home"] }, "initial_paths.0"],
    [
      "a path that is an option",
      { ...good, initial_paths: ["--files-from=/etc/shadow"] },
      "initial_paths.0",
    ],
    ["an unknown field", { ...good, colour: "red" }, "colour"],
    ["a URL with a password", {
      ...good,
      repository: { ...REPOSITORY, url: "rest:https://u:p@h/" },
    }, "repository.url"],
    ["a URL that is code", {
      ...good,
      repository: { ...REPOSITORY, url: "sftp:-oProxyCommand=id:/x" },
    }, "repository.url"],
    ["an environment name that is not allowed", {
      ...good,
      repository: { ...REPOSITORY, environment: { LD_PRELOAD: "x" } },
    }, "repository.environment"],
    ["a taken name", { ...good, hostname: "taken" }, "hostname"],
  ];
  for (const [what, body, field] of cases) {
    await t.step(what, async () => {
      const answer = await test.api("olive", "POST", "/api/enrollment-tokens", body);
      assert.ok([409, 422].includes(answer.status), `${answer.status}`);
      assert.equal(answer.body.error.field, field);
      assert.ok(answer.body.error.message.length > 20);
    });
  }
  const repositories = await test.api("olive", "GET", "/api/repositories");
  assert.deepEqual(repositories.body.items.map((each: { name: string }) => each.name), [
    "taken repository",
  ]);
});
