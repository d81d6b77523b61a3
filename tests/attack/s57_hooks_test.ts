import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { signIn } from "../support/browser_session.ts";
import { startServer } from "../support/start_server.ts";
import { makeWorld } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

const HOOK = "touch /tmp/canary57";
const FIELDS = {
  pre_hook: HOOK,
  post_hook: HOOK,
  pre_hook_default: HOOK,
  post_hook_default: HOOK,
  hook_timeout_seconds: 7,
  hook_stop_at_error: false,
  hook_stop_at_error_default: false,
  hooks: { pre_hook: HOOK },
  "hooks.pre_hook": HOOK,
};
/** What a route needs so that it gets as far as to look at what else was sent. */
const REST: Record<string, Record<string, unknown>> = {
  "source-groups": { name: "default", includes: ["/home"] },
  sources: { name: "default", includes: "/home" },
  schedules: { cron: "@daily" },
  hosts: {},
  jobs: { kind: "backup" },
  repositories: { name: "r", url: "/srv/restic/r", is_new: true },
  "enrollment-tokens": { hostname: "h" },
};

attack({
  id: "S57",
  promise: "nobody but an admin writes what runs as root on a host, by whatever route",
  done:
    "an operator and a viewer send hooks in every spelling to every route that changes something, as JSON and as a form, alone and beside what the route takes, as a list and twice",
  expected:
    "no hook is stored and none reaches the agent; an admin's is audited without its text, and texts with control characters are refused to him too",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const [{ agent, hostId, groupId }] = world.hosts as [typeof world.hosts[0]];
  const statuses = new Map<number, number>();
  // Sealed, so that what is there shows and not what it says.
  const hooksIn = () => {
    const { sqlite } = test.server.database;
    return ["hosts", "source_groups"].flatMap((table) =>
      sqlite.prepare(`select * from ${table}`).all().flatMap((row) =>
        Object.entries(row).filter(([name, value]) => /hook.*_sealed/.test(name) && value !== null)
          .map(([name]) => `${table}.${name}`)
      )
    );
  };
  // What ends things has no room for a hook, and nothing could be tried afterwards.
  const changing = ROUTES.filter(({ method, path, role }) =>
    method !== "GET" && method !== "DELETE" && role !== "public" &&
    !/delete|logout|revoke|sessions|cancel|theme|password/.test(path)
  );
  for (const person of ["olive", "victor"] as const) {
    const { cookie } = await signIn(test, person);
    for (const route of changing) {
      const path = world.pathOf(route);
      const kind = path.split("/").filter((part) => part in REST).at(-1) ?? "hosts";
      const isForm = !path.startsWith("/api/");
      const bodies = [FIELDS, { ...REST[kind], ...FIELDS }].flatMap((body) =>
        isForm ? [body] : [body, {
          ...REST[kind],
          ...Object.fromEntries(
            Object.entries(FIELDS).map(([name, value]) => [name, [value]]),
          ),
        }]
      );
      for (const body of bodies) {
        const form = new URLSearchParams(
          Object.entries(body).map(([name, value]): [string, string] => [name, `${value}`]),
        );
        // A field twice: the first is read by one part and the last by another, elsewhere.
        form.append("pre_hook", "");
        const response = await fetch(test.url + path, {
          method: route.method,
          headers: isForm ? { cookie, origin: test.url, accept: "text/html" } : {
            authorization: `Bearer ${test.tokens[person]}`,
            "content-type": "application/json",
          },
          body: isForm ? form : JSON.stringify(body),
          redirect: "manual",
        });
        await response.body?.cancel();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    }
  }
  assert.deepEqual(hooksIn(), []);
  assert.ok(!JSON.stringify(agent.received).includes("canary57"));

  const group = `/api/hosts/${hostId}/source-groups/${groupId}`;
  const input = { name: "default", includes: ["/home"] };
  for (const pre_hook of ["a\u0000b", "a\u001bb", "x".repeat(32_769), 7, ["id"]]) {
    for (
      const [method, path, body] of [
        ["PUT", group, { ...input, pre_hook }],
        ["PUT", `/api/hosts/${hostId}/hooks`, { pre_hook_default: pre_hook }],
      ] as const
    ) {
      assert.equal((await test.api("alice", method, path, body)).status, 422);
    }
  }
  assert.equal((await test.api("alice", "PUT", group, { ...input, pre_hook: HOOK })).status, 200);
  assert.deepEqual(hooksIn(), ["source_groups.pre_hook_sealed"]);
  await agent.next(
    "plan.set",
    ({ source_groups }) => source_groups.some(({ hooks }) => hooks?.pre_hook === HOOK),
  );
  const audit = JSON.stringify((await test.api("alice", "GET", "/api/audit?limit=500")).body);
  assert.ok(!audit.includes("canary57"), "the text of a hook is in the audit");
  assert.match(audit, /hook/);
  const stored = await test.server.database.sqlite.prepare("select * from source_groups").all();
  assert.ok(!JSON.stringify(stored).includes("canary57"), "hooks are sealed");
  see(
    `${changing.length} routes: ${
      [...statuses].sort().map(([status, count]) => `${count} × ${status}`).join(", ")
    }; no hook stored; an admin's is, sealed, and its text is not in the audit`,
  );
});
