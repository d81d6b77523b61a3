import assert from "node:assert/strict";
import { join } from "node:path";
import { createSecrets, KeyFileError, loadKey } from "../../server/secrets.ts";
import { openAccess } from "../../server/repositories/seal.ts";
import { getRepositoryRow } from "../../server/repositories/find.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";

const place = { table: "repositories", row: "a", column: "password" };

Deno.test("a sealed value opens in its own place only", async () => {
  const secrets = await createSecrets(crypto.getRandomValues(new Uint8Array(32)));
  const sealed = await secrets.seal("geheim", place);
  assert.equal(await secrets.open(sealed, place), "geheim");
  for (
    const other of [{ ...place, row: "b" }, { ...place, column: "rest_password" }, {
      ...place,
      table: "hosts",
    }]
  ) {
    await assert.rejects(secrets.open(sealed, other), /another row/);
  }
  sealed[20]! ^= 1;
  await assert.rejects(secrets.open(sealed, place));
});

Deno.test("two ciphertexts that were swapped in the database do not open", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha", { password: "password of alpha" });
  const beta = await joinHost(test, "beta", { password: "password of beta" });
  const rows = await Promise.all(
    [alpha, beta].map((host) => getRepositoryRow(test.server, host.repositoryId)),
  );
  await test.server.db.updateTable("repositories").set({
    password_sealed: rows[1]!.password_sealed,
  })
    .where("id", "=", alpha.repositoryId).execute();
  await assert.rejects(
    openAccess(test.server, await getRepositoryRow(test.server, alpha.repositoryId)),
    /belongs to another row/,
  );
  const agent = await FakeAgent.connect(test.url, alpha.bearer);
  assert.ok(!agent.received.some((message) => message.type === "config.update"));
  await agent.close();
});

Deno.test("a job whose order cannot be made fails and does not keep its host from connecting", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, alpha.bearer);
  const init = await agent.next("command.run");
  agent.started(init.job_id);
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  const path = `/api/repositories/${alpha.repositoryId}`;
  const set = await test.api("alice", "PUT", `${path}/admin-credential`, {
    username: "admin",
    rest_password: "another secret",
  });
  assert.equal(set.status, 200);
  await test.server.db.updateTable("repositories")
    .set((expression) => ({ admin_rest_password_sealed: expression.ref("password_sealed") }))
    .execute();
  await test.api("alice", "PUT", `${path}/maintenance`, { host_ids: [alpha.hostId] });
  const started = await test.api("alice", "POST", `${path}/jobs`, { kind: "prune" });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const job = (await test.api("victor", "GET", `/api/jobs/${started.body.job_id}`)).body;
  assert.deepEqual([job.status, job.reason_code], ["failed", "no_order"]);
  const again = await FakeAgent.connect(test.url, alpha.bearer);
  again.send({ type: "heartbeat" });
  await again.next("report.ack");
  await again.close();
});

Deno.test("the key file is made privately once, never overwritten, and refused when short or readable by others", async () => {
  const dir = await Deno.makeTempDir();
  const file = join(dir, "sub", "secret.key");
  const key = await loadKey(file, true);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  assert.deepEqual(await loadKey(file, true), key);
  await Deno.chmod(file, 0o644);
  await assert.rejects(loadKey(file, true), KeyFileError);
  await Deno.chmod(file, 0o600);
  await Deno.writeFile(file, key.slice(0, 31));
  await assert.rejects(loadKey(file, true), /31 bytes/);
  assert.equal((await Deno.readFile(file)).length, 31);
  await assert.rejects(loadKey(join(dir, "missing"), false), /missing/);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("the server does not start with a lost or another key while it holds secrets", async () => {
  const dataDir = await Deno.makeTempDir();
  const test = await startServer({ dataDir });
  await joinHost(test, "alpha");
  await test.stop();
  const file = join(dataDir, "secret.key");
  const key = await Deno.readFile(file);
  await Deno.remove(file);
  await assert.rejects(startServer({ dataDir, people: false }), /missing/);
  await Deno.writeFile(file, crypto.getRandomValues(new Uint8Array(32)), { mode: 0o600 });
  await assert.rejects(startServer({ dataDir, people: false }), /not the one/);
  await Deno.writeFile(file, key);
  await (await startServer({ dataDir, people: false })).stop();
  await Deno.remove(dataDir, { recursive: true });
});
