import { Point } from "@noble/ed25519";
import assert from "node:assert/strict";
import { isOwnersAlone } from "../../../server/pending_hosts/public_key.ts";
import { Announcer } from "../../support/fake_announcer.ts";
import { SMALL_ORDER } from "../../support/weak_keys.ts";

Deno.test("keys as agents make them are their owner's alone", async () => {
  for (let n = 0; n < 20; n++) assert.ok(isOwnersAlone((await Announcer.make()).publicKey));
});

for (const key of SMALL_ORDER) {
  Deno.test(`the small-order key ${key.slice(0, 8)}…${key.slice(-2)} is not`, () => {
    assert.ok(!isOwnersAlone(Uint8Array.fromHex(key)));
  });
}

Deno.test("nor is an honest key with a point of small order added, another spelling of a number, or no point at all", async () => {
  const honest = Point.fromBytes((await Announcer.make()).publicKey);
  const torsion = Point.fromHex(SMALL_ORDER[6]!);
  assert.ok(!isOwnersAlone(honest.add(torsion).toBytes()));
  // y = 3 + p: the same point as y = 3, in 32 bytes that are not the canonical ones.
  assert.ok(!isOwnersAlone(Uint8Array.fromHex(`f0${"ff".repeat(30)}7f`)));
  assert.ok(!isOwnersAlone(Uint8Array.fromHex(`02${"00".repeat(31)}`)));
  assert.ok(!isOwnersAlone(new Uint8Array(32).fill(0xff)));
});
