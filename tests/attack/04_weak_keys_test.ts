import assert from "node:assert/strict";
import { fromBase64, proofBytes, toBase64 } from "../../shared/announce.ts";
import { serverAddress } from "../../shared/server_address.ts";
import { newId } from "../../shared/new_id.ts";
import { attack } from "../support/trial.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { startServer } from "../support/start_server.ts";
import { forge, SMALL_ORDER } from "../support/weak_keys.ts";

attack({
  id: "promise 4",
  promise: "keys under which more than their owner can make a valid proof are refused",
  done:
    "announced every small-order key in every encoding, an honest key off by one, and 32 bytes of ff",
  expected: "422 on public_key, and no row",
}, async (see) => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.0/8" } });
  const keys = [...SMALL_ORDER, "ff".repeat(32), `f0${"ff".repeat(30)}7f`];
  const statuses = await Promise.all(keys.map(async (key, n) => {
    const stranger = await Announcer.make(`pc-${n}`);
    stranger.publicKey.set(Uint8Array.fromHex(key));
    const { status, body } = await stranger.announce(test, {}, `203.0.113.${n}`);
    return `${status} ${body.error?.field}`;
  }));
  const { body } = await test.api("olive", "GET", "/api/pending-hosts");
  see(`${keys.length} keys: ${[...new Set(statuses)].join(", ")}; ${body.items.length} rows`);
  assert.deepEqual([...new Set(statuses)], ["422 public_key"]);
  assert.equal(body.items.length, 0);
});

attack({
  id: "promise 4",
  promise:
    "a key that everybody can sign for proves nothing, even where its row is there from before",
  done:
    "put a small-order key into the table and made signatures that WebCrypto takes, without any secret",
  expected: "4011: the forged proof is refused",
}, async (see) => {
  await using test = await startServer();
  const anna = await Announcer.announced(test, "pc-anna");
  const weak = Uint8Array.fromHex(SMALL_ORDER[0]!);
  await test.server.db.deleteFrom("pending_hosts").execute();
  await test.server.db.insertInto("pending_hosts").values({
    id: anna.pendingId,
    ...anna.machine(),
    restic_version: null,
    public_key: weak,
    fingerprint: "SHA256:weak",
    announced_from_ip: "127.0.0.1",
    announced_from_network: "127.0.0.1",
    first_seen_at: Date.now(),
    last_seen_at: Date.now(),
    expires_at: Date.now() + 3_600_000,
    proven_at: null,
    dialled: null,
  }).execute();
  const socket = await anna.dial(test.url);
  const nonce = fromBase64(await socket.nonce());
  const server = serverAddress(test.url)!;
  const machine = (n: number) => anna.machine({ agent_version: `${n}-${newId().slice(0, 4)}` });
  const machines = Array.from({ length: 64 }, (_, n) => machine(n));
  const forged = await forge(
    weak,
    (n) => proofBytes({ nonce, pendingId: anna.pendingId, server, machine: machines[n]! }),
  );
  assert.ok(forged, "WebCrypto takes a signature that nobody made");
  socket.send({
    type: "proof",
    signature: toBase64(forged.signature),
    server,
    machine: machines[forged.attempt],
  });
  const { code } = await socket.untilClosed();
  see(`WebCrypto alone takes the forged signature; the server closes with ${code}`);
  assert.equal(code, 4011);
});
