import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { signIn } from "../support/browser_session.ts";
import { newId } from "../../shared/new_id.ts";
import { startServer } from "../support/start_server.ts";
import { changedSince, makeWorld, type OneHost, storedIn } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

const GROUP = { name: "theirs", includes: ["/home"] };

/** Bodies that name what is another host's, by the route that takes them. */
function bodies(mine: OneHost, theirs: OneHost): [string, string, unknown][] {
  const host = `/api/hosts/${mine.hostId}`;
  const repository = `/api/repositories/${mine.repositoryId}`;
  const schedule = { cron: "@daily", source_group_ids: [mine.groupId, theirs.groupId] };
  const snapshots = { hostname: "x", source_group_id: theirs.groupId };
  return [
    ["POST", `${host}/schedules`, schedule],
    ["PUT", `${host}/schedules/${mine.scheduleId}`, schedule],
    ["POST", `${host}/jobs`, { kind: "backup", source_group_id: theirs.groupId }],
    ["POST", `${host}/jobs`, { kind: "backup", schedule_id: theirs.scheduleId }],
    ["POST", `${host}/hooks/try`, { hook: "pre_hook", source_group_id: theirs.groupId }],
    ["POST", `${repository}/jobs`, { kind: "check", host_id: theirs.hostId }],
    ["PUT", `${repository}/maintenance`, { host_ids: [theirs.hostId] }],
    ["POST", `${repository}/ungoverned-snapshots/adopt`, snapshots],
    ["POST", `${repository}/restic-id`, { restic_id: "ab".repeat(32), host_id: theirs.hostId }],
    ["POST", `${host}/instances/choose`, { instance_id: theirs.hostId.slice(0, 16) }],
  ];
}

attack({
  id: "S03",
  promise: "what belongs to one host, repository or user is not reached through another one",
  done:
    "an admin calls every route with two ids with the second of another host; names another host's groups, schedules and machines in bodies; uses one kind's id as another's; a user ends what is another user's",
  expected:
    "404, or a refusal (409, 422; 503: that repository has no such machine), and nothing changed",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const [alpha, beta] = world.hosts as [OneHost, OneHost];
  const { cookie } = await signIn(test, "alice");
  const before = storedIn(test);
  const statuses = new Map<number, number>();
  const call = async (method: string, path: string, body: unknown, asForm = false) => {
    const response = await fetch(test.url + path, {
      method,
      headers: asForm
        ? { cookie, origin: test.url, accept: "text/html" }
        : { authorization: `Bearer ${test.tokens.alice}`, "content-type": "application/json" },
      redirect: "manual",
      ...(method === "GET" ? {} : {
        body: asForm ? new URLSearchParams(body as Record<string, string>) : JSON.stringify(body),
      }),
    });
    await response.body?.cancel();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    const isRefused = [404, 409, 422, 503].includes(response.status);
    assert.ok(isRefused, `${method} ${path} ${JSON.stringify(body)}: ${response.status}`);
  };
  const nested = ROUTES.filter(({ path }) =>
    (path.match(/:/g)?.length ?? 0) > 1 && !path.startsWith("/assets")
  );
  for (const [mine, theirs] of [[alpha, beta], [beta, alpha]] as [OneHost, OneHost][]) {
    const mixed = { ...mine, groupId: theirs.groupId, scheduleId: theirs.scheduleId };
    for (const route of nested) {
      const isApi = route.path.startsWith("/api/");
      const body = route.path.includes("schedules")
        ? { cron: "@daily", source_group_ids: [mine.groupId] }
        : GROUP;
      await call(route.method, world.pathOf(route, mixed), isApi ? body : GROUP, !isApi);
    }
    for (const [method, path, body] of bodies(mine, theirs)) await call(method, path, body);
    // One kind's id in the place of another's, and ids that are none.
    const wrong = [mine.repositoryId, mine.jobId, test.users.alice.id, newId(), "*", "%25", "1"];
    const singles = ROUTES.filter(({ method, path }) =>
      method === "GET" && /^\/(api|live)?\/?hosts\/:id(\/[a-z-]+)*$/.test(path)
    );
    for (const route of singles.filter(({ path }) => !path.startsWith("/live"))) {
      for (const id of wrong) await call("GET", route.path.replace(":id", id), undefined);
    }
  }
  assert.deepEqual(changedSince(test, before), []);
  const victor = await signIn(test, "victor");
  const olive = await signIn(test, "olive");
  const [session] = (await olive.api("GET", "/api/sessions")).body.items;
  const [token] = (await olive.api("GET", "/api/tokens")).body.items;
  const own = [
    (await victor.api("DELETE", `/api/sessions/${session.id}`)).status,
    (await victor.api("DELETE", `/api/tokens/${token.id}`)).status,
    (await olive.api("GET", "/api/tokens")).status,
    (await test.api("olive", "GET", "/api/hosts")).status,
  ];
  see(
    `${[...statuses].map(([status, count]) => `${count} × ${status}`).join(", ")}; ` +
      `another user's session and token ${own[0]}, ${own[1]}, which go on working ${own[2]}, ${
        own[3]
      }`,
  );
  assert.deepEqual(own, [404, 404, 200, 200]);
});
