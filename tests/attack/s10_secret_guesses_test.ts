import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { BEHIND_PROXY, call, signIn } from "../support/browser_session.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";

attack({
  id: "S10",
  promise:
    "guessing API tokens, setup links and join commands is slow for a whole network and hurts nobody beside it",
  done:
    "1,000 guesses of each kind from the addresses of one /48, then the right token from there and a login from elsewhere",
  expected:
    "at most 120 of a kind are looked at in a minute, the rest is 429; the right token and the login work",
}, async (see) => {
  await using test = await startServer({ env: BEHIND_PROXY });
  const looked: Record<string, number> = {};
  const guess = async (what: string, one: (from: string) => Promise<{ status: number }>) => {
    const answers = [];
    for (let n = 0; n < 1000; n++) {
      answers.push((await one(`2001:db8:7:${n.toString(16)}::1`)).status);
    }
    assert.ok(answers.every((status) => status >= 400));
    looked[what] = answers.filter((status) => status !== 429).length;
    test.clock.pass(61_000);
  };
  await guess(
    "API tokens",
    (from) =>
      call(test, "GET", "/api/hosts", { from, headers: { authorization: `Bearer rm_${from}` } }),
  );
  await guess("setup links", (from) => call(test, "GET", `/setup?token=${from}`, { from }));
  await guess("join commands", (from) =>
    call(test, "POST", "/api/agents/enroll", {
      from,
      body: { token: from, hostname: "m", os: "linux", arch: "amd64", agent_version: "0.1.0" },
    }));
  const right = await call(test, "GET", "/api/hosts", {
    from: "2001:db8:7:1::1",
    headers: { authorization: `Bearer ${test.tokens.olive}` },
  });
  const login = await signIn(test, "alice", PASSWORD, "192.0.2.7");
  see(
    `looked at ${
      JSON.stringify(looked)
    }; the right token ${right.status}, the login ${login.status}`,
  );
  assert.ok(Object.values(looked).every((count) => count > 0 && count <= 120));
  assert.deepEqual([right.status, login.status], [200, 200]);
});
