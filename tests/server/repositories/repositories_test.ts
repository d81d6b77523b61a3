import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

const NEW = { name: "nas", url: "rest:https://nas.example.org/alpha/", is_new: true };

Deno.test("secrets go in and never come out", async () => {
  await using test = await startServer();
  const made = await test.api("olive", "POST", "/api/repositories", {
    ...NEW,
    username: "alpha",
    password: "first-secret",
    rest_password: "second-secret",
    environment: { AWS_ACCESS_KEY_ID: "third-secret" },
  });
  assert.equal(made.status, 201);
  assert.deepEqual([
    made.body.password_set,
    made.body.rest_password_set,
    made.body.environment_names,
  ], [true, true, ["AWS_ACCESS_KEY_ID"]]);
  const everything = JSON.stringify([
    made.body,
    (await test.api("alice", "GET", "/api/repositories")).body,
    (await test.api("alice", "GET", "/api/audit")).body,
  ]);
  assert.ok(!/(first|second|third)-secret/.test(everything));
  assert.equal(made.body.repository_password, undefined);
});

Deno.test("a change keeps the secrets that are left out and reaches the connected agent at once", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha", {
    ...NEW,
    password: "old-secret",
    rest_password: "rest-secret",
    environment: { AWS_ACCESS_KEY_ID: "kept" },
  });
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const path = `/api/repositories/${host.repositoryId}`;
  const changed = await test.api("alice", "PUT", path, {
    name: "renamed",
    url: NEW.url,
    password: "new-secret",
    environment: { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: "added" },
  });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  const config = await agent.next(
    "config.update",
    (message) => message.repository?.password === "new-secret",
  );
  assert.equal(config.repository!.rest_password, "rest-secret");
  assert.deepEqual(config.repository!.environment, {
    AWS_ACCESS_KEY_ID: "kept",
    AWS_SECRET_ACCESS_KEY: "added",
  });
  await eventually("no drift", async () => {
    const shown = (await test.api("victor", "GET", `/api/hosts/${host.hostId}`)).body;
    agent.send({ type: "plan.ack", plan_version: shown.plan_version });
    return shown.plan_version === shown.applied_plan_version && shown.plan_version > 1;
  });
  await agent.close();
});

Deno.test("another place is another repository: the host makes or opens it anew", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha", NEW);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const first = await agent.next("command.run");
  agent.started(first.job_id);
  await agent.acknowledged(agent.finished(first.job_id, { created: true }));
  const other = await test.api("olive", "POST", "/api/repositories", {
    ...NEW,
    name: "other",
    url: "/srv/other",
    password: "p",
  });
  const patched = await test.api("alice", "PATCH", `/api/hosts/${host.hostId}`, {
    repository_id: other.body.id,
  });
  assert.equal(patched.status, 200);
  const second = await agent.next("command.run", (message) => message.job_id !== first.job_id);
  assert.deepEqual([second.kind, second.repository_id, second.may_create], [
    "init",
    other.body.id,
    true,
  ]);
  await agent.close();
});

Deno.test("a repository in use is not removed; a name is taken once; bad fields are named", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha", NEW);
  const path = `/api/repositories/${host.repositoryId}`;
  const refused = await test.api("alice", "DELETE", path);
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  assert.ok(refused.body.error.message.includes("alpha"));
  const cases: [Record<string, unknown>, number, string][] = [
    [{ ...NEW }, 409, "name"],
    [{ ...NEW, name: "x", is_new: false }, 422, "password"],
    [{ ...NEW, name: "x", is_new: undefined }, 422, "is_new"],
    [{ ...NEW, name: "x", is_new: "yes" }, 422, "is_new"],
    [{ ...NEW, name: "", password: "p" }, 422, "name"],
    [{ ...NEW, name: "x", url: "nonsense" }, 422, "url"],
    [{ ...NEW, name: "x", environment: { PATH: "/tmp" } }, 422, "environment"],
    [{ ...NEW, name: "x", environment: { RESTIC_PASSWORD_COMMAND: "id" } }, 422, "environment"],
    [{ ...NEW, name: "x", username: "a:b" }, 422, "username"],
    [{ ...NEW, name: "x", password: "two\nlines" }, 422, "password"],
  ];
  for (const [body, status, field] of cases) {
    const answer = await test.api("olive", "POST", "/api/repositories", body);
    assert.deepEqual(
      [answer.status, answer.body.error.field],
      [status, field],
      JSON.stringify(body),
    );
  }
  assert.equal((await test.api("alice", "DELETE", `/api/hosts/${host.hostId}`)).status, 204);
  assert.equal((await test.api("olive", "DELETE", path)).status, 403);
  assert.equal((await test.api("alice", "DELETE", path)).status, 204);
  assert.equal((await test.api("olive", "GET", path)).status, 404);
});

Deno.test("a storage user may be what HTTP takes: al@ex.org, DOMAIN\\al, a name with a blank; no colon", async () => {
  await using test = await startServer();
  for (const [n, username] of ["al@ex.org", "DOMAIN\\al", "John Doe", "a/b", "Zoë"].entries()) {
    const input = { ...NEW, name: `nas ${n}`, username, rest_password: "correct horse battery" };
    const made = await test.api("olive", "POST", "/api/repositories", input);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.body.username, username);
    const path = `/api/repositories/${made.body.id}/admin-credential`;
    const admin = { username, rest_password: "another horse battery" };
    assert.equal((await test.api("alice", "PUT", path, admin)).status, 200);
  }
  for (const username of ["a:b", "a\nb", "a\u0000b"]) {
    const refused = await test.api("olive", "POST", "/api/repositories", { ...NEW, username });
    assert.equal(refused.status, 422, username);
    assert.equal(refused.body.error.field, "username");
  }
});

Deno.test("a secret that would mask ordinary text is taken with a warning that does not hold it", async () => {
  await using test = await startServer();
  const warned = (body: { warnings: string[] }) =>
    body.warnings.map((warning) => warning.split(" ")[0]);
  const made = await test.api("olive", "POST", "/api/repositories", {
    ...NEW,
    password: "Sommerhaus",
    rest_password: "nas.example.org",
    environment: { AWS_DEFAULT_REGION: "home", AWS_SECRET_ACCESS_KEY: "home" },
  });
  assert.equal(made.status, 201);
  assert.deepEqual(warned(made.body), [
    "password",
    "rest_password",
    "environment.AWS_SECRET_ACCESS_KEY",
  ]);
  assert.ok(!/Sommerhaus|"home"/.test(JSON.stringify(made.body.warnings)));
  const path = `/api/repositories/${made.body.id}`;
  const change = { name: NEW.name, url: NEW.url };
  const long = { ...change, password: "correct horse battery staple" };
  assert.deepEqual(warned((await test.api("olive", "PUT", path, long)).body), []);
  const short = await test.api("olive", "PUT", path, { ...change, password: "backup" });
  assert.deepEqual(warned(short.body), ["password"]);
  const admin = await test.api("alice", "PUT", `${path}/admin-credential`, {
    username: "root",
    rest_password: "secret1",
  });
  assert.deepEqual(warned(admin.body), ["rest_password"]);
  const token = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "alpha",
    repository: { ...NEW, name: "another", password: "home" },
  });
  assert.deepEqual(warned(token.body), ["repository.password"]);
});

Deno.test("files on hosts, whom restic trusts and its options are an admin's; what runs a program is nobody's", async () => {
  await using test = await startServer();
  const base = {
    name: "cloud",
    url: "rclone:nas:r",
    password: "a repository password",
    is_new: true,
  };
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
  const cases: [string, Record<string, unknown>][] = [
    ["environment.RCLONE_CONFIG", {
      environment: { RCLONE_CONFIG: "/root/.config/rclone/rclone.conf" },
    }],
    ["environment.AWS_SHARED_CREDENTIALS_FILE", {
      environment: { AWS_SHARED_CREDENTIALS_FILE: "/root/.aws/credentials" },
    }],
    ["certificate_authority", { certificate_authority: pem }],
    ["options", { options: { "s3.storage-class": "STANDARD_IA" } }],
  ];
  const made = await test.api("olive", "POST", "/api/repositories", base);
  assert.equal(made.status, 201);
  const path = `/api/repositories/${made.body.id}`;
  const { is_new: _, password: __, ...known } = base;
  for (const [field, given] of cases) {
    for (
      const [method, at, body] of [["POST", "/api/repositories", { ...base, name: field }], [
        "PUT",
        path,
        known,
      ]] as const
    ) {
      const refused = await test.api("olive", method, at, { ...body, ...given });
      assert.deepEqual([refused.status, refused.body.error.field], [403, field]);
    }
    assert.equal((await test.api("alice", "PUT", path, { ...known, ...given })).status, 200, field);
    // What is as it was may be sent again by anyone who changes something else.
    const kept = given.environment
      ? {
        environment: Object.fromEntries(Object.keys(given.environment).map((name) => [name, null])),
      }
      : given;
    assert.equal((await test.api("olive", "PUT", path, { ...known, ...kept })).status, 200, field);
  }
  const { body } = await test.api("olive", "GET", path);
  assert.deepEqual([body.certificate_authority, body.options], [pem, {
    "s3.storage-class": "STANDARD_IA",
  }]);
  assert.equal(
    (await test.api("alice", "PUT", path, { ...known, certificate_authority: null })).body
      .certificate_authority,
    null,
  );
  const refuse = async (given: Record<string, unknown>, field: string) => {
    const { status, body } = await test.api("alice", "PUT", path, { ...known, ...given });
    assert.deepEqual([status, body.error.field], [422, field], JSON.stringify(given));
  };
  for (
    const name of [
      "sftp.command",
      "sftp.args",
      "rclone.program",
      "rclone.args",
      "__proto__x",
      "S3.region",
    ]
  ) {
    await refuse({ options: { [name]: "x" } }, `options.${name}`);
  }
  for (
    const [name, value] of [["s3.region", "-x"], ["rest.connections", "0"], [
      "s3.storage-class",
      "a b",
    ]]
  ) {
    await refuse({ options: { [name!]: value } }, `options.${name}`);
  }
  await refuse({ certificate_authority: "no certificate" }, "certificate_authority");
  await refuse({ environment: { RCLONE_CONFIG: "rclone.conf" } }, "environment.RCLONE_CONFIG");
  for (
    const name of [
      "RESTIC_PASSWORD_COMMAND",
      "RCLONE_PASSWORD_COMMAND",
      "RCLONE_CONFIG_NAS_TYPE",
      "LD_PRELOAD",
      "PATH",
    ]
  ) {
    await refuse({ environment: { [name]: "x" } }, "environment");
  }
});
