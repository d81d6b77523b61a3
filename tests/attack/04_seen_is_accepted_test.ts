import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { joinHost } from "../support/fake_agent.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

async function rowOf(test: TestServer, { pendingId }: Announcer) {
  const { body } = await test.api("olive", "GET", "/api/pending-hosts?limit=500");
  return body.items.find((each: { id: string }) => each.id === pendingId);
}

const said = (row: Record<string, unknown>) =>
  [
    "hostname",
    "os",
    "arch",
    "agent_version",
    "restic_version",
    "announced_from_ip",
    "last_seen_at",
    "expires_at",
    "revision",
  ]
    .map((name) => row[name]);

attack({
  id: "promise 4",
  promise: "a proven row changes only by proof",
  done:
    "announced again with the same public key, from elsewhere, as another machine, without a proof",
  expected: "the row stays as it was proven, whether its agent is connected or gone",
}, async (see) => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.0/8" } });
  const anna = await Announcer.announced(test, "web-1");
  const socket = await anna.wait(test.url);
  const before = await rowOf(test, anna);
  const other = {
    hostname: "db-1",
    os: "windows",
    arch: "arm64",
    agent_version: "9",
    restic_version: "9",
  };
  const connected = await anna.announce(test, other, "203.0.113.9");
  const during = await rowOf(test, anna);
  await socket.close();
  const gone = await anna.announce(test, other, "203.0.113.9");
  const after = await rowOf(test, anna);
  see(
    `answers ${connected.status}, ${gone.status}; the row is ${after.hostname}, ${after.os}, ${after.announced_from_ip}`,
  );
  assert.deepEqual(said(during).slice(0, 6), said(before).slice(0, 6));
  assert.deepEqual(said(after).slice(0, 6), said(before).slice(0, 6));
  assert.equal(after.revision, before.revision);
});

attack({
  id: "promise 4",
  promise: "what an admin saw is what is accepted",
  done:
    "looked at web-1; before the acceptance the machine became db-1, proven or not; accepted with and without a name",
  expected:
    "409 on revision; no host db-1; what is looked at again is accepted under the name that was seen",
}, async (see) => {
  await using test = await startServer();
  const { repositoryId } = await joinHost(test, "other");
  const accept = (stranger: Announcer, more: Record<string, unknown> = {}) =>
    test.api("alice", "POST", `/api/pending-hosts/${stranger.pendingId}/accept`, {
      fingerprint: stranger.fingerprint,
      repository_id: repositoryId,
      ...more,
    });
  const seen: string[] = [];
  for (const isProven of [true, false]) {
    const stranger = await Announcer.announced(test, `web-${isProven}`);
    if (isProven) await (await stranger.wait(test.url)).close();
    const { revision } = await rowOf(test, stranger);
    if (isProven) {
      await (await stranger.wait(test.url, { machine: stranger.machine({ hostname: "db-1" }) }))
        .close();
    } else await stranger.announce(test, { hostname: "db-1" });
    for (const more of [{}, { revision }, { revision, name: "web-1" }, { name: "web-1" }]) {
      const { status, body } = await accept(stranger, more);
      seen.push(`${status} ${body.error?.field}`);
    }
    await test.api("alice", "POST", `/api/pending-hosts/${stranger.pendingId}/reject`);
  }
  const honest = await Announcer.announced(test, "web-9");
  await (await honest.wait(test.url)).close();
  await honest.announce(test, { hostname: "db-9" });
  const { status, body } = await accept(honest);
  const hosts = (await test.api("alice", "GET", "/api/hosts")).body.items.map((
    each: { name: string },
  ) => each.name);
  see(
    `${[...new Set(seen)].join(", ")} in ${seen.length} tries; then ${status} ${body.name}; hosts ${
      hosts.join(", ")
    }`,
  );
  assert.deepEqual([...new Set(seen)], ["409 revision"]);
  assert.deepEqual([status, body.name], [200, "web-9"]);
  assert.deepEqual(hosts.sort(), ["other", "web-9"]);
});

attack({
  id: "S13",
  promise: "names that deceive eyes are refused or marked at the door",
  done:
    "a look-alike of web-1 announces itself, is accepted without a name, and a person types look-alikes everywhere",
  expected:
    "the row names web-1 and the code points; no host, group or repository gets such a name",
}, async (see) => {
  await using test = await startServer();
  const { hostId, repositoryId } = await joinHost(test, "web-1");
  const fake = "w\u0435b-1";
  const stranger = await Announcer.announced(test, fake);
  const row = await rowOf(test, stranger);
  const page = await (await fetch(`${test.url}/pending-hosts`, {
    headers: { authorization: `Bearer ${test.tokens.alice}`, accept: "text/html" },
  })).text();
  const accepted = await test.api(
    "alice",
    "POST",
    `/api/pending-hosts/${stranger.pendingId}/accept`,
    {
      fingerprint: stranger.fingerprint,
      repository_id: repositoryId,
    },
  );
  const repository = { name: "x", url: "/srv/x", password: "a long password", is_new: true };
  const typed: [string, string, string, unknown][] = [];
  for (
    const text of [
      fake,
      "web\u200b-1",
      "w\u0435\u0301\u0301\u0301b",
      "\uff57eb",
      "\u0443\u0435\u0455\u202e",
    ]
  ) {
    typed.push(
      [text, "PATCH", `/api/hosts/${hostId}`, { name: text }],
      [text, "POST", "/api/enrollment-tokens", { hostname: text, repository }],
      [text, "POST", `/api/hosts/${hostId}/source-groups`, { name: text, includes: ["/etc"] }],
      [text, "POST", "/api/repositories", { ...repository, name: text }],
      [text, "POST", "/api/tokens", { name: text }],
    );
  }
  // All of one script: no mixture, and yet nobody can tell them apart.
  await test.api("alice", "PATCH", `/api/hosts/${hostId}`, { name: "coca" });
  typed.push(["\u0441\u043e\u0441\u0430", "POST", "/api/enrollment-tokens", {
    hostname: "\u0441\u043e\u0441\u0430",
    repository,
  }]);
  const statuses = await Promise.all(
    typed.map(async ([, method, path, body]) =>
      (await test.api("alice", method, path, body)).status
    ),
  );
  const honest = await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: "\u0431\u044d\u043a\u0430\u043f-1",
    repository,
  });
  see(
    `row: looks like ${row.looks_like}, ${row.name_warning}; accept ${accepted.status} ${accepted.body.error?.field}; typed ${
      [...new Set(statuses)].join(", ")
    }; бэкап-1 ${honest.status}`,
  );
  assert.equal(row.looks_like, "web-1");
  assert.match(row.name_warning, /Latin and Cyrillic.*U\+0435/);
  assert.match(page, /looks like web-1/);
  assert.deepEqual([accepted.status, accepted.body.error.field], [422, "name"]);
  assert.ok(statuses.every((status) => status === 422 || status === 409), statuses.join(", "));
  assert.ok(honest.status < 300, JSON.stringify(honest.body));
});
