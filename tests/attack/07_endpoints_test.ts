// A secret that was entered for one place is never sent to another, whatever the endpoint is called.
import assert from "node:assert/strict";
import { ENDPOINT_NAMES, ENVIRONMENT_NAMES } from "../../shared/repository_environment.ts";
import { ENDPOINT_OPTIONS, OPTION_NAMES } from "../../shared/repository_options.ts";
import { attack } from "../support/trial.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";

const KEPT = "kept-canary-3131";
const URL = "swift:container:/backups";
const VALUES: Record<string, string> = {
  "s3.bucket-lookup": "dns",
  "s3.region": "evil",
  "gs.region": "evil",
};

attack({
  id: "promise 7",
  promise: "kept secrets never follow a changed endpoint",
  done:
    "each endpoint-like variable and option is set, changed and taken away while the secrets are left out or kept with null; the admin credential brings one of its own",
  expected:
    "422 with the field; with the secrets entered anew it is done, and the admin credential is gone",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha", {
    url: URL,
    environment: { OS_PASSWORD: KEPT, OS_AUTH_URL: "https://cloud.example.org/v3" },
  });
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const path = `/api/repositories/${host.repositoryId}`;
  const put = (more: Record<string, unknown>) =>
    test.api("alice", "PUT", path, { name: "r", url: URL, ...more });
  const kept = { OS_PASSWORD: null, OS_AUTH_URL: null };
  const refusals: string[] = [];
  for (const name of ENDPOINT_NAMES) {
    const set = await put({ environment: { ...kept, [name]: "https://evil.example" } });
    assert.deepEqual([set.status, set.body.error?.field], [422, "environment"], name);
    const credential = await test.api("alice", "PUT", `${path}/admin-credential`, {
      environment: { [name]: "https://evil.example", AWS_SECRET_ACCESS_KEY: "x" },
    });
    assert.deepEqual(
      [credential.status, credential.body.error?.field],
      [422, `environment.${name}`],
    );
    refusals.push(name);
  }
  for (const name of ENDPOINT_OPTIONS) {
    const set = await put({ options: { [name]: VALUES[name] } });
    assert.deepEqual([set.status, set.body.error?.field], [422, "environment"], name);
    const nulls = await put({ options: { [name]: VALUES[name] }, environment: kept });
    assert.equal(nulls.status, 422);
    refusals.push(name);
  }
  const gone = await put({ environment: { OS_PASSWORD: null } });
  assert.deepEqual([gone.status, gone.body.error.field], [422, "environment"]);
  const moved = await put({ url: "swift:other:/backups", environment: kept });
  assert.equal(moved.status, 422);
  see(`refused: ${refusals.join(", ")}; taking OS_AUTH_URL away; another container`);
  assert.equal((await put({ environment: kept, options: { "s3.retries": "3" } })).status, 200);
  await test.api("alice", "PUT", `${path}/admin-credential`, {
    environment: { OS_PASSWORD: "admin-canary" },
  });
  const evil = { OS_PASSWORD: "typed anew", OS_AUTH_URL: "https://evil.example" };
  const anew = await put({ environment: evil });
  assert.equal(anew.status, 200, JSON.stringify(anew.body));
  assert.equal(anew.body.admin_credential_set, false);
  await agent.next(
    "config.update",
    ({ repository }) => repository?.environment.OS_AUTH_URL === evil.OS_AUTH_URL,
  );
  const leaks = agent.received.filter((each) => {
    const text = JSON.stringify(each);
    return text.includes("evil") && (text.includes(KEPT) || text.includes("admin-canary"));
  });
  see(
    `entered anew: ${anew.status}, admin credential gone, kept secrets sent along: ${leaks.length}`,
  );
  assert.equal(leaks.length, 0);
  await agent.close();
});

attack({
  id: "promise 7",
  promise: "a new name for an endpoint does not slip by the list",
  done: "all accepted variables and options are searched for names that speak of a place",
  expected: "each is on the list, or known not to say where anything is sent",
}, (see) => {
  const looksLike = /URL|ENDPOINT|SUFFIX|HOST|REGION|SERVER|DOMAIN$|ACCOUNT_NAME|lookup|^ST_AUTH$/i;
  const found = [...ENVIRONMENT_NAMES, ...OPTION_NAMES].filter((name) => looksLike.test(name));
  const listed = [...ENDPOINT_NAMES, ...ENDPOINT_OPTIONS];
  see(found.join(", "));
  assert.deepEqual(found.filter((name) => !listed.includes(name)), []);
  assert.ok(found.length >= 12);
  return Promise.resolve();
});
