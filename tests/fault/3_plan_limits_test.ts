import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAME_LIMIT } from "../../shared/protocol.ts";
import { readServerMessage } from "../../shared/wire.ts";
import { fault } from "../support/trial.ts";
import { joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";
import { configFor } from "../../server/plan/push.ts";

/** What costs more on its way than it looks: each of them is two to six characters in JSON, and up to four bytes. */
const COSTLY = ["a", '"', "\\", "ä", "漢", "😀"];
const text = fc.tuple(fc.constantFrom(...COSTLY), fc.integer({ min: 200, max: 4000 }))
  .map(([character, length]) => character.repeat(Math.floor(length / character.length)));
const group = fc.record({
  includes: fc.array(text.map((name) => `/${name}`), { minLength: 1, maxLength: 60 }),
  excludes: fc.array(text, { maxLength: 80 }),
  iexcludes: fc.array(text, { maxLength: 40 }),
  pre_hook: fc.option(text.map((line) => `: '${line}'\n`.repeat(6))),
});

async function isTaken(test: TestServer, hostId: string): Promise<number> {
  let longest = 0;
  for (const message of await configFor(test.server, hostId)) {
    const frame = JSON.stringify(message);
    longest = Math.max(longest, frame.length);
    // The agent's own reader.
    readServerMessage(frame);
  }
  return longest;
}

async function stored(test: TestServer, hostId: string): Promise<string> {
  const groups = await test.api("alice", "GET", `/api/hosts/${hostId}/source-groups`);
  const host = await test.api("alice", "GET", `/api/hosts/${hostId}`);
  return JSON.stringify([groups.body, host.body.plan_version]);
}

fault({
  id: "item 3",
  promise: "the server accepts no plan that an agent would refuse",
  done:
    "120 random source groups with texts that grow on their way are saved, until and beyond what fits into a frame",
  expected:
    "what is saved is read by the agent's own reader; what is refused names the field, and nothing of it is stored",
}, async (see) => {
  await using test = await startServer();
  let [saved, refused, longest, n] = [0, 0, 0, 0];
  const fields = new Set<string>();
  let host = await joinHost(test, "alpha");
  await fc.assert(
    fc.asyncProperty(group, async (input) => {
      const before = await stored(test, host.hostId);
      const { status, body } = await test.api(
        "alice",
        "POST",
        `/api/hosts/${host.hostId}/source-groups`,
        {
          name: `group ${++n}`,
          ...input,
        },
      );
      if (status === 201) saved++;
      else {
        refused++;
        fields.add(body.error.field);
        assert.equal(status, 422, JSON.stringify(body));
        assert.ok(body.error.field, body.error.message);
        assert.equal(await stored(test, host.hostId), before);
      }
      longest = Math.max(longest, await isTaken(test, host.hostId));
      // The others are too much by themselves, not together with what is there.
      if (/its agent takes/.test(body.error?.message)) host = await joinHost(test, `host-${n}`);
    }),
    { numRuns: 120 },
  );
  see(
    `${saved} saved, ${refused} refused (${[
      ...fields,
    ]}); the longest message had ${longest} of ${FRAME_LIMIT} characters`,
  );
  assert.ok(saved > 20 && refused > 5 && longest > FRAME_LIMIT * 0.7);
});

fault({
  id: "item 3",
  promise: "no other way in makes a plan that an agent would refuse",
  done:
    "a join command with 200 long paths; default hooks, a repository's environment and 40 groups, each up to what its fields take",
  expected: "each is refused with its field, or what comes of it is read by the agent's own reader",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const path = `/api/hosts/${host.hostId}`;
  const ask = async (method: string, to: string, body: unknown) => {
    const answer = await test.api("alice", method, to, body);
    await isTaken(test, host.hostId);
    return answer.status < 300 ? "taken" : `${answer.status} ${answer.body.error.field}`;
  };
  const long = (of: string, n: number) =>
    Array.from({ length: n }, (_, i) => `/${i}${of.repeat(3900)}`);
  const join = await ask("POST", "/api/enrollment-tokens", {
    hostname: "beta",
    initial_paths: long("a", 200),
    repository_id: host.repositoryId,
  });
  const quotes = '"'.repeat(32_000);
  const defaults = await ask("PUT", `${path}/hooks`, {
    pre_hook_default: `: '${quotes}'`,
    post_hook_default: `: '${quotes}'`,
  });
  const environment = await ask("PUT", `/api/repositories/${host.repositoryId}`, {
    name: "r",
    url: "s3:https://s3.example.org/fleet",
    environment: Object.fromEntries(
      [
        "OS_USERNAME",
        "OS_PASSWORD",
        "ST_KEY",
        "ST_USER",
        "AWS_SESSION_TOKEN",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "B2_ACCOUNT_ID",
        "B2_ACCOUNT_KEY",
        "AZURE_ACCOUNT_NAME",
      ]
        .map((name) => [name, "\u0001".repeat(8192)]),
    ),
  });
  const outcomes = new Map<string, number>();
  for (let n = 0; n < 40; n++) {
    const outcome = await ask("POST", `${path}/source-groups`, {
      name: `g${n}`,
      includes: long("b", 2),
      pre_hook: `: '${'"'.repeat(16_000)}'`,
      post_hook: `: '${'"'.repeat(16_000)}'`,
    });
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  see(
    `join: ${join}; defaults: ${defaults}; environment: ${environment}; groups: ${
      [...outcomes].map((each) => each.join(" × ")).join(", ")
    }`,
  );
  assert.equal(join, "422 initial_paths");
  assert.ok(outcomes.get("taken")! > 5 && outcomes.get("422 includes")! > 5);
});
