import assert from "node:assert/strict";
import { join } from "node:path";
import { identityPath, openIdentity, readIdentity } from "../../agent/identity.ts";
import { fingerprintOf } from "../../shared/announce.ts";
import { announcedName } from "../../agent/machine.ts";
import { hostName } from "../../shared/fields.ts";
import { testFolder } from "../support/start_agent.ts";

Deno.test("the key is made once, closed to others, and signs what its public half verifies", async () => {
  using folder = testFolder();
  const state = join(folder.path, "state");
  assert.equal(readIdentity(state), undefined);
  const made = openIdentity(state);
  assert.equal(Deno.statSync(identityPath(state)).mode! & 0o777, 0o600);
  const again = openIdentity(state);
  assert.equal(again.fingerprint, made.fingerprint);
  assert.equal(made.publicKey.length, 32);
  assert.equal(made.fingerprint, fingerprintOf(made.publicKey));
  assert.match(made.fingerprint, /^SHA256:[0-9a-f]{64}$/);
  const bytes = crypto.getRandomValues(new Uint8Array(100));
  const raw = new Uint8Array(again.publicKey);
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  const signature = new Uint8Array(again.sign(bytes));
  assert.ok(await crypto.subtle.verify("Ed25519", key, signature, bytes));
  assert.deepEqual([...Deno.readDirSync(state)].map(({ name }) => name), ["identity.key"]);
});

Deno.test("a key file that cannot be used is an error that names it, and stays as it is", async (t) => {
  using folder = testFolder();
  const path = identityPath(folder.path);
  const cases: [string, string, RegExp][] = [
    ["empty", "", /identity\.key is not an Ed25519 key/],
    ["nonsense", "nonsense", /is not an Ed25519 key/],
    [
      "a key of another kind",
      `-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n`,
      /is not an Ed25519 key/,
    ],
  ];
  for (const [what, content, message] of cases) {
    await t.step(what, () => {
      Deno.writeTextFileSync(path, content, { mode: 0o600 });
      Deno.chmodSync(path, 0o600);
      assert.throws(() => openIdentity(folder.path), message);
      assert.equal(Deno.readTextFileSync(path), content);
    });
  }
  await t.step("readable by others", () => {
    Deno.removeSync(path);
    openIdentity(folder.path);
    const before = Deno.readTextFileSync(path);
    Deno.chmodSync(path, 0o640);
    assert.throws(() => openIdentity(folder.path), /can be read by others \(run: chmod 600 /);
    assert.equal(Deno.readTextFileSync(path), before);
  });
  await t.step("a folder in its place", () => {
    Deno.removeSync(path);
    Deno.mkdirSync(path);
    assert.throws(() => openIdentity(folder.path), /identity\.key cannot be read/);
    assert.ok(Deno.statSync(path).isDirectory);
  });
});

Deno.test("whatever a machine is called, it announces a name that the server takes", () => {
  const names = ["web-01", "Anna's PC", "-x", "", "...", "пк", "a\u202eb", "x".repeat(255), "a b"];
  for (const name of names) assert.ok(hostName.safeParse(announcedName(name)).success, name);
  assert.equal(announcedName("web-01.example.org"), "web-01.example.org");
  assert.equal(announcedName("Anna's PC"), "Anna-s-PC");
  assert.equal(announcedName("..."), "unnamed");
});
