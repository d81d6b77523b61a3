import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { signIn } from "../support/browser_session.ts";
import { startServer } from "../support/start_server.ts";
import { CANARY, changedSince, makeWorld, storedIn } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

const RANK = { public: 0, viewer: 1, operator: 2, admin: 3 };
const FORM = new URLSearchParams({
  pre_hook_default: "id",
  role: "admin",
  confirm_name: `${CANARY}-alpha`,
});

attack({
  id: "S02",
  promise: "what a role does not reach is refused by every way to it, and shows in the audit",
  done:
    "a viewer and an operator call every route above their role, with ids that exist: by token and by session, as JSON and as a form",
  expected:
    "403, no name of a host in the answer, nothing changed; the audit has who tried what, and a flood of it is cut",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const before = storedIn(test);
  for (const person of ["victor", "olive"] as const) {
    const rank = person === "victor" ? RANK.viewer : RANK.operator;
    const { cookie } = await signIn(test, person);
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${test.tokens[person]}`, "content-type": "application/json" },
      { cookie, origin: test.url, accept: "text/html" },
    ];
    const above = ROUTES.filter(({ role }) => RANK[role ?? "admin"] > rank);
    for (const route of above) {
      const path = world.pathOf(route);
      for (const headers of ways) {
        const isForm = headers.cookie !== undefined;
        const response = await fetch(test.url + path, {
          method: route.method,
          headers,
          redirect: "manual",
          ...(route.method === "GET" ? {} : { body: isForm ? FORM : '{"role":"admin"}' }),
        });
        const text = await response.text();
        assert.equal(response.status, 403, `${person} ${route.method} ${path}`);
        assert.ok(!text.includes(CANARY), `${route.method} ${path} names a host`);
      }
    }
    const audit = await test.api(
      "alice",
      "GET",
      `/api/audit?action=request.refused&actor=${person}&limit=500`,
    );
    const [last] = audit.body.items;
    see(
      `${person}: ${
        above.length * 2
      } calls refused, ${audit.body.items.length} in the audit; the last: ${
        JSON.stringify(last.detail)
      }`,
    );
    assert.equal(audit.body.items.length, 20);
    assert.equal(last.detail.more_are_left_out_for, "up to an hour");
    assert.match(last.detail.request, /^(GET|POST|PUT|PATCH|DELETE) \//);
  }
  assert.deepEqual(changedSince(test, before), []);
});
