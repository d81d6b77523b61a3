// No role reaches by a detour what a direct route refuses it: made from the table in SECURITY.md.
import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";
import { ROUTES } from "../../server/web/routes.ts";

const SECURITY = await Deno.readTextFile(new URL("../../SECURITY.md", import.meta.url));

interface Row {
  route: string;
  role: string;
  refused: string;
}

/** The rows of the table that begins with this heading. */
function tableOf(heading: string): string[][] {
  const [, rest = ""] = SECURITY.split(`| ${heading} |`);
  const rows: string[][] = [];
  for (const line of rest.split("\n").slice(2)) {
    if (!line.startsWith("|")) break;
    rows.push(line.slice(1, -1).split(" | ").map((cell) => cell.replace(/^\|?\s*|\s*$/g, "")));
  }
  return rows;
}

const code = (cell: string) => /`([^`]+)`/.exec(cell)?.[1] ?? "";
const API: Row[] = tableOf("route | role | reaches | not by operators").map((
  [route = "", role = "", , refused = ""],
) => ({ route: code(route), role, refused }));
const FORMS = tableOf("form | like");
const isPage = (path: string) => !/^\/(api|agent|install|healthz|readyz)(\/|$)/.test(path);
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;
const roleOf = (role: string | undefined) => role === "public" ? "–" : role ?? "admin";

attack({
  id: "promise 6",
  promise: "the table in SECURITY.md names every route with the role that it has",
  done:
    "the routes of the server are compared with the table, the forms with the routes that they stand for",
  expected:
    "no route without a row, no row without a route, no form with another role than its twin",
}, (see) => {
  const api = ROUTES.filter(({ path }) => !isPage(path));
  assert.deepEqual(
    API.map(({ route, role }) => `${route} ${role}`).sort(),
    api.map((route) => `${nameOf(route)} ${roleOf(route.role)}`).sort(),
  );
  const forms = ROUTES.filter(({ method, path }) => method !== "GET" && isPage(path));
  assert.deepEqual(FORMS.map(([form = ""]) => code(form)).sort(), forms.map(nameOf).sort());
  for (const [form = "", like = ""] of FORMS) {
    const own = forms.find((route) => nameOf(route) === code(form))!;
    const twin = code(like);
    if (!twin) continue;
    const twinRole = API.find(({ route }) => route === twin)?.role;
    assert.ok(twinRole, `${code(form)}: ${twin} is no route`);
    const isForAdmins = like.includes("for admins of");
    assert.equal(roleOf(own.role), isForAdmins ? "admin" : twinRole, code(form));
  }
  see(`${API.length} routes of the API, ${FORMS.length} forms`);
  return Promise.resolve();
});

interface World {
  hostId: string;
  repositoryId: string;
  groupId: string;
  adminSet: string;
}

/** Of the host, in its list. */
const SNAPSHOT = "5".repeat(64);
const OLDER = "4".repeat(64);
/** Of another host. */
const THEIRS = "6".repeat(64);
const RESTORE = {
  kind: "restore",
  snapshot_id: SNAPSHOT,
  items: [{ path: "/home/anna" }],
  target: { kind: "folder", path: "/home/restored" },
};

const REPOSITORY = { name: "alpha repository", url: "rest:https://nas.example.org/r/" };
const NEW = { name: "mine", url: "rest:https://mallory.example/", is_new: true };
const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
const FILE = { environment: { RCLONE_CONFIG: "/root/.config/rclone/rclone.conf" } };

/** What an operator tries for each field that the table keeps from operators: the path's ids come from the world. */
const TRIES: Record<string, Record<string, (world: World) => unknown>> = {
  "PATCH /api/hosts/:id": {
    repository_id: ({ adminSet }) => ({ repository_id: adminSet }),
    approved_roots: () => ({ approved_roots: ["/"] }),
    approved_repository_ids: ({ repositoryId }) => ({ approved_repository_ids: [repositoryId] }),
  },
  "GET /api/hosts/:id/folders": { path: () => ({ path: "/etc" }) },
  "GET /api/snapshots/:id/tree": { path: () => ({ path: "/etc" }) },
  "GET /api/snapshots/:id/diff": { path: () => ({ path: "/etc", with: OLDER }) },
  "POST /api/enrollment-tokens": {
    repository_id: ({ repositoryId }) => ({ hostname: "his", repository_id: repositoryId }),
    may_hold_admin_credential: () => ({
      hostname: "his",
      repository: NEW,
      may_hold_admin_credential: true,
    }),
  },
  "POST /api/hosts/:id/source-groups": {
    includes: () => ({ name: "x", includes: ["/etc"] }),
    pre_hook: () => ({ name: "x", includes: ["/home"], pre_hook: "id" }),
    post_hook: () => ({ name: "x", includes: ["/home"], post_hook: "id" }),
    hook_timeout_seconds: () => ({ name: "x", includes: ["/home"], hook_timeout_seconds: 7 }),
    hook_stop_at_error: () => ({ name: "x", includes: ["/home"], hook_stop_at_error: false }),
  },
  "PUT /api/hosts/:id/source-groups/:gid": {
    includes: () => ({ name: "default", includes: ["/home", "/etc"] }),
    pre_hook: () => ({ name: "default", includes: ["/home"], pre_hook: "id" }),
    post_hook: () => ({ name: "default", includes: ["/home"], post_hook: "id" }),
    hook_timeout_seconds: () => ({ name: "default", includes: ["/home"], hook_timeout_seconds: 7 }),
    hook_stop_at_error: () => ({ name: "default", includes: ["/home"], hook_stop_at_error: false }),
  },
  "POST /api/repositories": {
    environment: () => ({ ...NEW, ...FILE }),
    certificate_authority: () => ({ ...NEW, certificate_authority: PEM }),
    options: () => ({ ...NEW, options: { "s3.retries": "3" } }),
    open_to_operators: () => ({ ...NEW, open_to_operators: false }),
  },
  "PUT /api/repositories/:id": {
    name: () => ({ ...REPOSITORY, name: "old" }),
    url: () => ({ ...REPOSITORY, url: "rest:https://mallory.example/", rest_password: "x" }),
    password: () => ({ ...REPOSITORY, password: "his own" }),
    username: () => ({ ...REPOSITORY, username: "mallory" }),
    rest_password: () => ({ ...REPOSITORY, rest_password: "his own" }),
    environment: () => ({ ...REPOSITORY, environment: { AWS_PROFILE: "his" } }),
    append_only: () => ({ ...REPOSITORY, append_only: true }),
    is_new: () => ({ ...REPOSITORY, is_new: true }),
    certificate_authority: () => ({ ...REPOSITORY, certificate_authority: PEM }),
    options: () => ({ ...REPOSITORY, options: { "s3.retries": "3" } }),
    open_to_operators: () => ({ ...REPOSITORY, open_to_operators: true }),
  },
  "PUT /api/repositories/:id/maintenance": {
    host_ids: ({ hostId }) => ({ host_ids: [hostId] }),
    forget: () => ({ forget: { enabled: true, cron: "* * * * *" } }),
    prune: () => ({ prune: { enabled: true, cron: "* * * * *" } }),
  },
  "POST /api/repositories/:id/jobs": {
    kind: () => ({ kind: "prune" }),
    host_id: ({ hostId }) => ({ kind: "check", host_id: hostId }),
    may_drop_most: () => ({ kind: "forget", dry_run: true, may_drop_most: true }),
    remove_all: () => ({ kind: "unlock", remove_all: true, confirm_hostname: "x" }),
  },
  "POST /api/hosts/:id/jobs": {
    kind: () => ({ kind: "forget" }),
    host_id: () => ({ kind: "forget", dry_run: true }),
    may_drop_most: () => ({ kind: "forget", dry_run: true, may_drop_most: true }),
    remove_all: () => ({ kind: "unlock", remove_all: true, confirm_hostname: "x" }),
    items: () => ({ ...RESTORE, items: [{ path: "/home/anna" }, { path: "/etc/shadow" }] }),
    target: () => ({ ...RESTORE, target: { kind: "original", confirm_hostname: "alpha" } }),
    "target.path": () => ({ ...RESTORE, target: { kind: "folder", path: "/etc/cron.d/x" } }),
    snapshot_id: () => ({ ...RESTORE, snapshot_id: THEIRS }),
  },
  "DELETE /api/repositories/:id": { "": () => undefined },
};

/** A host and a repository of an admin, which has an admin credential, and for which the host is named. */
async function theirs(test: TestServer): Promise<World & { bearer: string }> {
  const { hostId, repositoryId, bearer } = await joinHost(test, "alpha", {
    ...REPOSITORY,
    username: "everyday",
    rest_password: "everyday-canary",
  });
  const groups = `/api/hosts/${hostId}/source-groups`;
  const [{ id: groupId }] = (await test.api("alice", "GET", groups)).body.items;
  await test.api("alice", "PUT", `${groups}/${groupId}`, {
    name: "default",
    includes: ["/home"],
    retention: { keep_last: 3 },
  });
  const path = `/api/repositories/${repositoryId}`;
  await test.api("alice", "PUT", `${path}/admin-credential`, {
    username: "admin",
    rest_password: "admin-canary",
  });
  await test.api("alice", "PUT", `${path}/maintenance`, { host_ids: [hostId] });
  const other = await test.api("alice", "POST", "/api/repositories", {
    ...REPOSITORY,
    name: "another",
    is_new: true,
  });
  return { hostId, repositoryId, groupId, adminSet: other.body.id, bearer };
}

attack({
  id: "promise 6",
  promise: "what the table keeps from operators is refused to them, by the field's name",
  done:
    "an operator calls each route with each field that the table names, on an admin's host and repository; then all that the host's agent received is read",
  expected: "403 with the field, nothing changed, nothing started",
}, async (see) => {
  await using test = await startServer();
  const world = await theirs(test);
  const agent = await FakeAgent.connect(test.url, world.bearer);
  const { job_id } = await agent.next("command.run");
  await agent.acknowledged(agent.finished(job_id, { created: true }));
  await agent.acknowledged(agent.snapshots(world.repositoryId, [SNAPSHOT, OLDER]));
  const other = await joinHost(test, "beta", { id: world.repositoryId });
  const theirAgent = await FakeAgent.connect(test.url, other.bearer);
  await theirAgent.acknowledged(theirAgent.snapshots(world.repositoryId, [THEIRS]));
  const everything = () => {
    const tables = ["hosts", "repositories", "source_groups", "maintenance", "maintenance_hosts"];
    const jobs = test.server.database.sqlite.prepare("select id, kind from jobs").all();
    return JSON.stringify([
      jobs,
      tables.map((table) =>
        test.server.database.sqlite.prepare(`select * from ${table}`).all().map((row) => ({
          ...row,
          last_seen_at: 0,
        }))
      ),
    ]);
  };
  const before = everything();
  let calls = 0;
  for (const { route, refused } of API.filter(({ refused }) => refused !== "")) {
    const fields = [...refused.matchAll(/`([^`]+)`/g)].map(([, field]) => field!);
    const named = new Set(refused.startsWith("the whole") ? [""] : fields);
    assert.deepEqual([...named].sort(), Object.keys(TRIES[route] ?? {}).sort(), route);
    const [method = "", path = ""] = route.split(" ");
    const id = path.startsWith("/api/snapshots")
      ? SNAPSHOT
      : path.startsWith("/api/hosts")
      ? world.hostId
      : world.repositoryId;
    const to = path.replace(":id", id).replace(":gid", world.groupId);
    for (const field of named) {
      const given = TRIES[route]![field]!(world);
      const answer = method === "GET"
        ? await test.api(
          "olive",
          method,
          `${to}?${new URLSearchParams(given as Record<string, string>)}`,
        )
        : await test.api("olive", method, to, given);
      const { code, field: told } = answer.body.error ?? {};
      assert.deepEqual([answer.status, code], [403, "forbidden"], `${route} ${field}`);
      // One of a list is named by its place; what is for admins as a whole names no field.
      const isNamed = field === "" || field === "remove_all" || told === field ||
        told?.startsWith(`${field}.`);
      assert.ok(isNamed, `${route} ${field}: ${told}`);
      calls++;
    }
  }
  assert.equal(everything(), before);
  see(`${calls} calls refused`);
  await agent.close();
  await theirAgent.close();
});

attack({
  id: "promise 6",
  promise: "an operator obtains no stored secret by binding hosts",
  done:
    "an operator tries to bring a host of his own to an admin's repository by a token, by moving his host, by a form and by opening the repository first; his agent listens",
  expected: "no frame to his agent holds a secret of that repository; his own repositories work",
}, async (see) => {
  await using test = await startServer();
  const { repositoryId } = await theirs(test);
  const made = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "his",
    repository: NEW,
  });
  assert.equal(made.status, 201);
  const machine = { os: "linux", arch: "x86_64", agent_version: "0.1.0", hostname: "his" };
  const { body } = await test.api(null, "POST", "/api/agents/enroll", {
    token: made.body.token,
    ...machine,
  });
  const agent = await FakeAgent.connect(test.url, body.bearer);
  const path = `/api/repositories/${repositoryId}`;
  const tries = [
    await test.api("olive", "PUT", path, { ...REPOSITORY, open_to_operators: true }),
    await test.api("olive", "POST", "/api/enrollment-tokens", {
      hostname: "second",
      repository_id: repositoryId,
    }),
    await test.api("olive", "PATCH", `/api/hosts/${body.host_id}`, { repository_id: repositoryId }),
    await test.api("olive", "PATCH", `/api/hosts/${body.host_id}`, {
      approved_repository_ids: [repositoryId],
      repository_id: repositoryId,
    }),
  ];
  see(tries.map(({ status }) => status).join(", "));
  assert.deepEqual(tries.map(({ status }) => status), [403, 403, 403, 403]);
  // Open to operators it may be bound, but to a host only where an admin approved it there.
  await test.api("alice", "PUT", path, { ...REPOSITORY, open_to_operators: true });
  const moved = await test.api("olive", "PATCH", `/api/hosts/${body.host_id}`, {
    repository_id: repositoryId,
  });
  const third = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "third",
    repository_id: repositoryId,
  });
  see(`once it is open: moving his host ${moved.status}, a token ${third.status}`);
  assert.deepEqual([moved.status, third.status], [403, 201]);
  assert.ok(!JSON.stringify(agent.received).includes("canary"));
  await agent.close();
});

attack({
  id: "promise 6",
  promise: "an operator does not point elsewhere what hosts back up to or may be bound to",
  done:
    "an operator moves open repositories, by address and by a variable: before a host has joined, once one has, where an admin only approved it for a host or made a join command for it, and after moving the host away from it",
  expected: "before, yes; else 403 with the field, and no host hears of another place",
}, async (see) => {
  await using test = await startServer();
  const NAME = { OS_AUTH_URL: "https://a.example" };
  const machine = { os: "linux", arch: "x86_64", agent_version: "0.1.0" };
  const join = async (
    person: "alice" | "olive",
    hostname: string,
    more: Record<string, unknown>,
  ) => {
    const made = await test.api(person, "POST", "/api/enrollment-tokens", { hostname, ...more });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const enrol = async () =>
      (await test.api(null, "POST", "/api/agents/enroll", {
        token: made.body.token,
        hostname,
        ...machine,
      })).body;
    return { repositoryId: made.body.repository_id as string, enrol };
  };
  const put = (
    id: string,
    url: string,
    auth = "https://a.example",
    person: "alice" | "olive" = "olive",
  ) =>
    test.api(person, "PUT", `/api/repositories/${id}`, {
      name: `mine ${id}`,
      url,
      environment: { OS_AUTH_URL: auth },
    });
  const refused = async (id: string, url = "swift:container:/one") => {
    const byUrl = await put(id, "swift:evil:/two");
    const byVariable = await put(id, url, "https://evil.example");
    assert.deepEqual([byUrl.status, byUrl.body.error?.field], [403, "url"]);
    assert.deepEqual([byVariable.status, byVariable.body.error?.field], [403, "environment"]);
  };
  const repository = { ...NEW, url: "swift:container:/one", environment: NAME };
  const his = await join("olive", "his", { repository });
  const typo = await put(his.repositoryId, "swift:container:/two");
  assert.equal(typo.status, 200, "no machine has joined by his own command yet");
  const { bearer, host_id } = await his.enrol();
  await refused(his.repositoryId, "swift:container:/two");
  const agent = await FakeAgent.connect(test.url, bearer);
  const { job_id } = await agent.next("command.run");
  agent.started(job_id);
  await agent.acknowledged(agent.finished(job_id, { created: true }));
  await refused(his.repositoryId, "swift:container:/two");
  see("once a host is bound: 403 by address and by variable");

  const another = async (name: string) =>
    (await test.api("olive", "POST", "/api/repositories", { ...repository, name })).body
      .id as string;
  const approved = await another("approved");
  await test.api("alice", "PATCH", `/api/hosts/${host_id}`, {
    approved_repository_ids: [approved],
  });
  await refused(approved);
  const away = await test.api("olive", "PATCH", `/api/hosts/${host_id}`, {
    repository_id: approved,
  });
  assert.equal(away.status, 200);
  await test.api("alice", "PATCH", `/api/hosts/${host_id}`, {
    approved_repository_ids: [his.repositoryId],
  });
  await refused(his.repositoryId, "swift:container:/two");
  see("approved for a host, or left by it for a moment: 403");
  const promised = await another("promised");
  await join("alice", "new", { repository_id: promised });
  await refused(promised);
  see("an admin's join command names it: 403");
  assert.ok(!JSON.stringify(agent.received).includes("evil"));
  assert.equal((await put(promised, "swift:other:/two", "https://b.example", "alice")).status, 200);
  await agent.close();
});

attack({
  id: "promise 6",
  promise: "what is closed or raised meanwhile does not reach what an operator began before",
  done:
    "a repository is closed and gets a new password while an operator's join command for it is open; an admin credential is set while his forget waits",
  expected: "the command is refused; the forget fails, and no frame holds the admin credential",
}, async (see) => {
  await using test = await startServer();
  const { body: made } = await test.api("olive", "POST", "/api/repositories", NEW);
  const token = await test.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "his",
    repository_id: made.id,
  });
  await test.api("alice", "PUT", `/api/repositories/${made.id}`, {
    name: NEW.name,
    url: NEW.url,
    open_to_operators: false,
    password: "new-canary-4711",
  });
  const late = await test.api(null, "POST", "/api/agents/enroll", {
    token: token.body.token,
    hostname: "his",
    os: "linux",
    arch: "x86_64",
    agent_version: "0.1.0",
  });
  see(`a command of before it was closed: ${late.status}`);
  assert.equal(late.status, 401);

  const alpha = await joinHost(test, "alpha", { url: "rest:https://nas.example.org/r/" });
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const agents: FakeAgent[] = [];
  for (const { bearer } of [alpha, beta]) {
    const agent = await FakeAgent.connect(test.url, bearer);
    const { job_id } = await agent.next("command.run");
    agent.started(job_id);
    await agent.acknowledged(agent.finished(job_id, { created: true }));
    agents.push(agent);
  }
  const path = `/api/repositories/${alpha.repositoryId}`;
  const groups = `/api/hosts/${alpha.hostId}/source-groups`;
  const [{ id }] = (await test.api("alice", "GET", groups)).body.items;
  await test.api("alice", "PUT", `${groups}/${id}`, {
    name: "default",
    includes: ["/home"],
    retention: { keep_last: 1 },
  });
  const backup = (await test.api("alice", "POST", `/api/hosts/${beta.hostId}/jobs`, {
    kind: "backup",
  })).body.job_id;
  await agents[1]!.acknowledged(agents[1]!.started(backup));
  const forget = await test.api("olive", "POST", `${path}/jobs`, { kind: "forget" });
  assert.equal(forget.status, 202);
  await test.api("alice", "PUT", `${path}/admin-credential`, {
    username: "admin",
    rest_password: "admin-canary",
  });
  await test.api("alice", "PUT", `${path}/maintenance`, { host_ids: [alpha.hostId] });
  await agents[1]!.acknowledged(agents[1]!.finished(backup));
  const ended = await eventually("the forget is over", async () => {
    const job = (await test.api("alice", "GET", `/api/jobs/${forget.body.job_id}`)).body;
    return job.finished_at !== null && job;
  });
  see(`a forget of before the admin credential was set: ${ended.status}, ${ended.reason}`);
  assert.equal(ended.status, "failed");
  assert.ok(!JSON.stringify(agents.map(({ received }) => received)).includes("admin-canary"));
  for (const agent of agents) await agent.close();
});
