import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { startServer } from "../support/start_server.ts";

attack({
  id: "S09",
  promise: "an enrolment token makes one host",
  done: "50 machines with different keys use one token in the same moment, then once more",
  expected: "one host; everybody else is refused",
}, async (see) => {
  await using test = await startServer();
  const { body } = await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: "web-1",
    repository: { name: "web", url: "/srv/restic/web", password: "a long password", is_new: true },
  });
  const enrol = (n: number) =>
    test.api(null, "POST", "/api/agents/enroll", {
      token: body.token,
      hostname: `machine-${n}`,
      os: "linux",
      arch: "x86_64",
      agent_version: "0.1.0",
      restic_version: "0.18.0",
    });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => enrol(n)));
  answers.push(await enrol(50));
  const statuses = Map.groupBy(answers, ({ status }) => status);
  const hosts = await test.api("alice", "GET", "/api/hosts");
  see(
    [...statuses].map(([status, all]) => `${all.length} × ${status}`).join(", ") +
      `; ${hosts.body.items.length} host`,
  );
  assert.equal(statuses.get(200)?.length, 1);
  assert.equal(hosts.body.items.length, 1);
});
