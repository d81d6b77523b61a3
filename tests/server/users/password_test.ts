import assert from "node:assert/strict";
import { createPasswordHasher } from "../../../server/users/password.ts";

const CHEAP = { memoryKib: 64, iterations: 1 };
const stranger = (n: number) => ({ isKnown: false, network: `net ${n}` });

Deno.test("strangers fill their own places, one network not all of them, and known ones go first", async () => {
  const hasher = createPasswordHasher({ memoryKib: 4096, iterations: 2 });
  const hash = await hasher.hash("secret");
  const order: string[] = [];
  const ask = (name: string, from: { isKnown: boolean; network: string }) =>
    hasher.verify("wrong", hash, from).then(() => order.push(name), () => order.push(`no ${name}`));
  const all = [
    ...Array.from({ length: 20 }, () => ask("flood", stranger(0))),
    ...Array.from({ length: 20 }, (_, n) => ask("stranger", stranger(n + 1))),
    ask("known", { isKnown: true, network: "net 0" }),
  ];
  await Promise.all(all);
  hasher.close();
  const refused = order.filter((name) => name.startsWith("no "));
  assert.equal(
    refused.filter((name) => name === "no flood").length,
    13,
    "one was running, six waited",
  );
  assert.equal(refused.filter((name) => name === "no stranger").length, 11);
  const done = order.filter((name) => !name.startsWith("no "));
  assert.equal(done.indexOf("known"), 1, "after the one that was running");
});

Deno.test("looking at nobody's password does the same work as looking at someone's", async () => {
  const hasher = createPasswordHasher(CHEAP);
  assert.equal(await hasher.verify("decoy", undefined), false);
  const hash = await hasher.hash("secret");
  assert.equal(await hasher.verify("secret", hash), true);
  hasher.close();
});
