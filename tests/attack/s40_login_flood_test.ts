import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { BEHIND_PROXY, signIn } from "../support/browser_session.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";

attack({
  id: "S40",
  promise:
    "a flood of logins keeps nobody out who signed in from his network before, and no page waits for it",
  done:
    "100 networks sign in as 100 names without end, at the real cost of a hash; alice signs in from home, twice",
  expected:
    "most of the flood is answered 429; alice waits for two hashes at most, never 429; /healthz answers at once",
}, async (see) => {
  await using test = await startServer({ env: BEHIND_PROXY, realHashes: true });
  assert.equal((await signIn(test, "alice", PASSWORD, "198.51.100.7")).status, 200);
  let flooding = true;
  const statuses = new Map<number, number>();
  const flood = Array.from({ length: 100 }, async (_, n) => {
    while (flooding) {
      const { status } = await signIn(test, `u${n}`, "wrong", `203.${n}.0.9`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
  const waits: number[] = [];
  try {
    for (let n = 0; n < 2; n++) {
      const began = performance.now();
      assert.equal((await signIn(test, "alice", PASSWORD, "198.51.100.8")).status, 200);
      waits.push(Math.round(performance.now() - began));
    }
    const began = performance.now();
    await (await fetch(`${test.url}/healthz`)).body?.cancel();
    waits.push(Math.round(performance.now() - began));
  } finally {
    flooding = false;
    await Promise.all(flood);
  }
  see(
    `the flood: ${
      JSON.stringify(Object.fromEntries(statuses))
    }; alice, twice, and /healthz: ${waits} ms`,
  );
  assert.ok((statuses.get(429) ?? 0) > (statuses.get(401) ?? 0));
});
