import assert from "node:assert/strict";
import { DOMParser } from "linkedom";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { Announcer } from "../../support/fake_announcer.ts";
import {
  CAST,
  PASSWORD,
  type Person,
  startServer,
  type TestServer,
} from "../../support/start_server.ts";

const NAME = `<script>alert(1)</script>`;
const HTML = { Accept: "text/html" };

interface Visit {
  status: number;
  html: string;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  document: any;
}

/** A browser without scripts: it keeps cookies and says where its forms come from. */
class Visitor {
  cookies = new Map<string, string>();
  constructor(readonly server: TestServer) {}

  async visit(path: string, form?: Record<string, string> | [string, string][]): Promise<Visit> {
    const response = await fetch(`${this.server.url}${path}`, {
      method: form ? "POST" : "GET",
      headers: {
        ...HTML,
        ...(form ? { Origin: this.server.url } : {}),
        Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      },
      body: form && new URLSearchParams(form),
      redirect: "manual",
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (value) this.cookies.set(name!, value);
      else this.cookies.delete(name!);
    }
    const html = await response.text();
    const document = new DOMParser().parseFromString(html, "text/html");
    return { status: response.status, html, headers: response.headers, document };
  }

  async logIn(person: Person): Promise<this> {
    const { status } = await this.visit("/login", { username: person, password: PASSWORD });
    assert.equal(status, 303);
    return this;
  }
}

const NEW_HOST = {
  hostname: "web-01",
  tags: "berlin, web",
  initial_paths: "/etc\n\n/home\n",
  repository_choice: "new",
  "repository.name": "nas",
  "repository.url": "/srv/restic",
  "repository.is_new": "true",
};

async function enrolled(server: TestServer): Promise<string> {
  const { body } = await server.api("olive", "POST", "/api/enrollment-tokens", {
    hostname: "alpha",
    initial_paths: ["/etc", "C:\\Users"],
    repository: { name: "nas", url: "/srv/restic", is_new: true },
  });
  const { body: host } = await server.api(null, "POST", "/api/agents/enroll", {
    token: body.token,
    hostname: "alpha",
    os: "linux",
    arch: "amd64",
    agent_version: "0.1.0",
    restic_version: "0.18.0",
  });
  return host.host_id;
}

Deno.test("the setup link makes the first admin once, and keeps the name that was typed", async () => {
  await using server = await startServer({ people: false });
  const token = server.server.setup.token!;
  const visitor = new Visitor(server);
  const typed = { token, username: "ada", password: "short", password_again: "other" };
  const wrong = await visitor.visit("/setup", typed);
  assert.equal(wrong.status, 422);
  assert.equal(wrong.document.querySelector("[name=username]").getAttribute("value"), "ada");
  const long = { ...typed, password: PASSWORD, password_again: PASSWORD };
  assert.equal((await visitor.visit("/setup", long)).status, 303);
  assert.match((await visitor.visit("/")).html, /Welcome, ada/);
  assert.equal((await visitor.visit(`/setup?token=${token}`)).status, 404);
});

Deno.test("a wrong password is refused with one sentence, and login leads only to this server", async () => {
  await using server = await startServer();
  const visitor = new Visitor(server);
  const asked = await visitor.visit("/jobs?kind=backup");
  assert.equal(asked.headers.get("location"), "/login?next=%2Fjobs%3Fkind%3Dbackup");
  const refused = await visitor.visit("/login", { username: "alice", password: "nonsense" });
  assert.equal(refused.status, 401);
  assert.match(refused.document.querySelector("[role=alert]").textContent, /Wrong user name/);
  for (const next of ["//evil.example", "/\\evil.example", "https://evil.example"]) {
    const went = await new Visitor(server).visit("/login", {
      username: "alice",
      password: PASSWORD,
      next,
    });
    assert.equal(went.headers.get("location"), "/");
  }
});

Deno.test("Add host shows command and password once, and a wrong form again as typed", async () => {
  await using server = await startServer();
  const olive = await new Visitor(server).logIn("olive");
  const wrong = await olive.visit("/hosts/new", {
    ...NEW_HOST,
    hostname: NAME,
    initial_paths: "/etc\nhome",
    "repository.password": "planted-secret",
  });
  assert.equal(wrong.status, 422);
  assert.ok(!wrong.html.includes(NAME) && !wrong.html.includes("planted-secret"));
  const typed = wrong.document.querySelector("[name=hostname]");
  assert.equal(typed.getAttribute("value"), NAME);
  assert.match(
    wrong.document.getElementById("f-initial_paths-error").textContent,
    /Line 2 must be/i,
  );
  const done = await olive.visit("/hosts/new", NEW_HOST);
  assert.equal(done.status, 201);
  assert.match(done.html, /RM_TOKEN=rmt_/);
  assert.match(done.html, /Keep this password somewhere safe/);
  assert.match((await olive.visit("/repositories")).html, /nas/);
});

Deno.test("the pages of a host answer, change it, and delete it only for its name", async () => {
  await using server = await startServer();
  const id = await enrolled(server);
  const alice = await new Visitor(server).logIn("alice");
  for (const path of ["", "/sources", "/repository", "/jobs", "/settings", "/sources/new"]) {
    assert.equal((await alice.visit(`/hosts/${id}${path}`)).status, 200, path);
  }
  const group = {
    name: "home",
    includes: "/home",
    excludes: "*.tmp",
    keep_last: "seven",
    retry_max: "0",
    retry_backoff_seconds: "60",
  };
  const wrong = await alice.visit(`/hosts/${id}/sources/new`, group);
  assert.equal(wrong.status, 422);
  assert.match(wrong.document.getElementById("f-keep_last-error").textContent, /^Must be a whole/);
  assert.equal(wrong.document.querySelector("[name=keep_last]").getAttribute("value"), "seven");
  const made = await alice.visit(`/hosts/${id}/sources/new`, { ...group, keep_last: "7" });
  assert.equal(made.status, 303);
  assert.match((await alice.visit(`/hosts/${id}/sources`)).html, /keeps the last 7/);
  const kept = await alice.visit(`/hosts/${id}/delete`, { confirm_name: "other" });
  assert.equal(kept.status, 422);
  assert.equal((await alice.visit(`/hosts/${id}/delete`, { confirm_name: "alpha" })).status, 303);
  assert.equal((await alice.visit(`/hosts/${id}`)).status, 404);
});

Deno.test("the form of a source group offers a volume shadow copy on Windows hosts, and keeps the choice", async () => {
  await using server = await startServer();
  const id = await enrolled(server);
  const olive = await new Visitor(server).logIn("olive");
  const path = `/hosts/${id}/sources/new`;
  const tick = "[name=use_fs_snapshot]";
  assert.equal((await olive.visit(path)).document.querySelector(tick), null);
  await server.server.db.updateTable("hosts").set({ os: "windows" }).execute();
  assert.equal(
    (await olive.visit(path)).document.querySelector(tick).hasAttribute("checked"),
    false,
  );
  const group = {
    name: "home",
    includes: "C:\\Users",
    retry_max: "0",
    retry_backoff_seconds: "60",
  };
  const made = await olive.visit(path, { ...group, use_fs_snapshot: "on" });
  assert.equal(made.status, 303);
  const { body } = await server.api("olive", "GET", `/api/hosts/${id}/source-groups`);
  const { id: gid } = body.items.find((each: { name: string }) => each.name === "home");
  const saved = `/hosts/${id}/sources/${gid}`;
  assert.equal(
    (await olive.visit(saved)).document.querySelector(tick).hasAttribute("checked"),
    true,
  );
  assert.equal((await olive.visit(saved, group)).status, 303);
  assert.equal(
    (await olive.visit(saved)).document.querySelector(tick).hasAttribute("checked"),
    false,
  );
});

Deno.test("Run now for an offline host says so where the button was, and starts nothing", async () => {
  await using server = await startServer();
  const id = await enrolled(server);
  const olive = await new Visitor(server).logIn("olive");
  const answer = await olive.visit(`/hosts/${id}/jobs`, { kind: "backup" });
  assert.equal(answer.headers.get("location"), `/hosts/${id}`);
  assert.match((await olive.visit(`/hosts/${id}`)).html, /alpha is offline; nothing was started/);
  assert.match((await olive.visit("/jobs")).html, /No jobs yet/);
});

Deno.test("a failed init stands in the vitals with its job and a retry, and a repository that is ready with its age", async () => {
  await using server = await startServer();
  const { hostId, bearer } = await joinHost(server, "alpha");
  const agent = await FakeAgent.connect(server.url, bearer);
  const olive = await new Visitor(server).logIn("olive");
  const vitals = async () =>
    (await olive.visit(`/hosts/${hostId}`)).document.getElementById("vitals");
  const first = await agent.next("command.run");
  agent.started(first.job_id);
  const reason = "restic: wrong password";
  await agent.acknowledged(
    agent.finished(first.job_id, { status: "failed", reason, reason_code: "wrong_password" }),
  );
  const broken = await vitals();
  assert.match(broken.textContent.replaceAll(/\s+/g, " "), /init failed · job · retry/);
  assert.ok(broken.querySelector(".state.warn"));
  assert.ok(broken.querySelector(`a[href="/jobs/${first.job_id}"]`));
  const button = broken.querySelector(`button[formaction="/hosts/${hostId}/jobs"]`);
  assert.deepEqual([button.getAttribute("name"), button.getAttribute("value")], ["kind", "init"]);
  await olive.visit(`/hosts/${hostId}/jobs`, { kind: "init" });
  const second = await agent.next("command.run", ({ job_id }) => job_id !== first.job_id);
  assert.equal(second.kind, "init");
  agent.started(second.job_id);
  await agent.acknowledged(agent.finished(second.job_id, { created: true }));
  assert.match((await vitals()).textContent.replaceAll(/\s+/g, " "), /repo ready · initialised /);
  await agent.close();
});

Deno.test("changing a repository keeps the secrets whose fields stay blank", async () => {
  await using server = await startServer();
  const { body } = await server.api("olive", "POST", "/api/repositories", {
    name: "s3",
    url: "s3:https://s3.example.org/bucket",
    password: "a secret of ours",
    is_new: true,
    environment: { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "planted" },
  });
  const olive = await new Visitor(server).logIn("olive");
  const form = await olive.visit(`/repositories/${body.id}/edit`);
  assert.ok(!form.html.includes("planted") && !form.html.includes("a secret of ours"));
  const saved = await olive.visit(`/repositories/${body.id}/edit`, [
    ["name", "renamed"],
    ["url", "s3:https://s3.example.org/bucket"],
    ["environment_name", "AWS_ACCESS_KEY_ID"],
    ["environment_value", ""],
    ["environment_name", ""],
    ["environment_value", ""],
  ]);
  assert.equal(saved.status, 303);
  const { body: now } = await server.api("olive", "GET", `/api/repositories/${body.id}`);
  assert.equal(now.name, "renamed");
  assert.deepEqual(now.environment_names, ["AWS_ACCESS_KEY_ID"]);
});

Deno.test("an API token is shown once, and a viewer sees no button that changes anything", async () => {
  await using server = await startServer();
  const id = await enrolled(server);
  const victor = await new Visitor(server).logIn("victor");
  const made = await victor.visit("/account/tokens", { name: "report", lifetime: "30" });
  assert.match(made.html, /rm_[A-Za-z0-9_-]{20}/);
  assert.ok(!/rm_[A-Za-z0-9_-]{20}/.test((await victor.visit("/account")).html));
  for (const path of ["/", "/jobs", `/hosts/${id}`]) {
    const { status, document } = await victor.visit(path);
    assert.equal(status, 200);
    assert.equal(document.querySelector("main [formaction]"), null, path);
  }
  for (const path of ["/audit", "/hosts/new", "/repositories", `/hosts/${id}/settings`]) {
    assert.equal((await victor.visit(path)).status, 403, path);
  }
});

Deno.test("the theme is kept in a cookie, and only the three that there are", async () => {
  await using server = await startServer();
  const visitor = await new Visitor(server).logIn("victor");
  await visitor.visit("/account/theme", { theme: "dark" });
  assert.match((await visitor.visit("/")).html, /<html lang="en" data-theme="dark"/);
  await visitor.visit("/account/theme", { theme: `"><script>` });
  assert.match((await visitor.visit("/")).html, /<html lang="en" data-theme="auto"/);
});

Deno.test("each page answers each role, and nobody is sent to sign in", async () => {
  await using server = await startServer();
  for (const person of [...Object.keys(CAST), null] as (Person | null)[]) {
    const visitor = new Visitor(server);
    if (person) await visitor.logIn(person);
    for (const path of ["/", "/jobs", "/account"]) {
      assert.equal((await visitor.visit(path)).status, person ? 200 : 303, `${person} ${path}`);
    }
    assert.equal((await visitor.visit("/nothing")).status, 404);
  }
});

Deno.test("assets answer for ever under today's hash, and not under another", async () => {
  await using server = await startServer();
  const { html } = await new Visitor(server).visit("/login");
  const path = /\/assets\/[0-9a-f]+\/app\.css/.exec(html)![0];
  const visitor = new Visitor(server);
  assert.match((await visitor.visit(path)).headers.get("cache-control")!, /immutable/);
  const old = await visitor.visit(path.replace(/[0-9a-f]{12}/, "000000000000"));
  assert.equal(old.headers.get("cache-control"), "no-cache");
  assert.equal((await visitor.visit("/assets/x/nothing.css")).status, 404);
});

Deno.test("a repository's page shows who has the same id, and lets an admin say which id is right", async () => {
  await using server = await startServer();
  const make = async (name: string) =>
    (await server.api("olive", "POST", "/api/repositories", {
      name,
      url: `rest:https://${name}.example.org/`,
      is_new: true,
    })).body.id as string;
  const [one, two] = [await make("one"), await make("two")];
  const [known, other] = ["a1".repeat(32), "b2".repeat(32)] as const;
  const row = { host_id: null, restic_id: known, first_seen_at: 1 };
  const question = {
    other_id: other,
    other_host_id: crypto.randomUUID(),
    other_host_name: "alpha",
    other_at: 2,
  };
  await server.server.db.insertInto("repository_ids")
    .values([{ ...row, repository_id: one, ...question }, { ...row, repository_id: two }])
    .execute();
  const olive = await new Visitor(server).logIn("olive");
  const seen = await olive.visit(`/repositories/${one}`);
  assert.ok(seen.html.includes("The same repository, or a copy?"));
  assert.ok(seen.document.querySelector(`#restic-id a[href="/repositories/${two}"]`));
  assert.ok(seen.html.includes("Another repository than before"));
  const form = `form[action="/repositories/${one}/restic-id"]`;
  assert.equal(seen.document.querySelector(form), null);
  assert.equal(
    (await olive.visit(`/repositories/${one}/restic-id`, { restic_id: other })).status,
    403,
  );
  const alice = await new Visitor(server).logIn("alice");
  const asked = await alice.visit(`/repositories/${one}`);
  assert.equal(asked.document.querySelectorAll(form).length, 2);
  const wrong = await alice.visit(`/repositories/${one}/restic-id`, { restic_id: "c3".repeat(32) });
  assert.equal(wrong.status, 409);
  assert.ok(wrong.html.includes("must be one of the two ids"));
  const answered = await alice.visit(`/repositories/${one}/restic-id`, { restic_id: other });
  assert.equal(answered.status, 303);
  const after = await alice.visit(`/repositories/${one}`);
  assert.ok(!after.html.includes("Another repository than before"));
  // No longer the same as the other one.
  assert.ok(!after.html.includes("The same repository, or a copy?"));
});

Deno.test("a form warns of a password that is an ordinary word, once, without showing it", async () => {
  await using server = await startServer();
  const olive = await new Visitor(server).logIn("olive");
  const made = await olive.visit("/repositories/new", {
    name: "nas",
    url: "/srv/restic",
    is_new: "false",
    password: "Sommerhaus",
  });
  const page = await olive.visit(made.headers.get("location")!);
  const flash = page.document.querySelector(".flash.warn").textContent;
  assert.match(flash, /^The repository is added\. password is short, a plain word/);
  assert.ok(!page.html.includes("Sommerhaus"));
  const joining = await olive.visit("/hosts/new", {
    ...NEW_HOST,
    "repository.name": "other",
    "repository.rest_password": "Sommerhaus",
  });
  assert.equal(joining.status, 201);
  assert.match(joining.html, /repository\.rest_password is short, a plain word/);
  assert.ok(!joining.html.includes("Sommerhaus"));
});

Deno.test("by forms alone a machine takes its host back: from Settings, or accepted as it, and a person lets it go on", async () => {
  await using server = await startServer();
  const { hostId } = await joinHost(server, "alpha");
  const olive = await new Visitor(server).logIn("olive");
  const alice = await new Visitor(server).logIn("alice");
  const button = `form[action="/hosts/${hostId}/rejoin-token"] button`;
  assert.equal(
    (await olive.visit(`/hosts/${hostId}/settings`)).document.querySelector(button),
    null,
  );
  assert.ok((await alice.visit(`/hosts/${hostId}/settings`)).document.querySelector(button));
  assert.equal((await olive.visit(`/hosts/${hostId}/rejoin-token`, {})).status, 403);
  const made = await alice.visit(`/hosts/${hostId}/rejoin-token`, {});
  assert.equal(made.status, 201);
  assert.match(made.document.querySelector(".command code").textContent, /RM_TOKEN=rmt_\S+ sh$/);

  // Nothing is chosen by the name.
  const anna = await Announcer.announced(server, "alpha");
  const page = await alice.visit(`/pending-hosts/${anna.pendingId}`);
  assert.ok(page.document.querySelector("#f-join_as-new").hasAttribute("checked"));
  const accept = (form: Record<string, string>) =>
    alice.visit(`/pending-hosts/${anna.pendingId}/accept`, {
      fingerprint: anna.fingerprint,
      name: "alpha",
      join_as: "existing",
      ...form,
    });
  const none = await accept({ host_id: "" });
  assert.equal(none.status, 422);
  assert.ok(none.document.querySelector("#f-join_as-existing").hasAttribute("checked"));
  assert.equal((await accept({ host_id: hostId })).headers.get("location"), `/hosts/${hostId}`);

  for (const path of ["/", `/hosts/${hostId}`]) {
    const { html, document } = await olive.visit(path);
    assert.match(html, /Joined again/);
    assert.ok(document.querySelector(`button[formaction="/hosts/${hostId}/resume"]`), path);
  }
  const victor = await new Visitor(server).logIn("victor");
  assert.ok(!(await victor.visit(`/hosts/${hostId}`)).html.includes("Restored, go on"));
  assert.equal((await victor.visit(`/hosts/${hostId}/resume`, {})).status, 403);
  assert.equal((await olive.visit(`/hosts/${hostId}/resume`, {})).status, 303);
  assert.ok(!(await olive.visit(`/hosts/${hostId}`)).html.includes("Joined again"));
  const twice = await olive.visit(`/hosts/${hostId}/resume`, {});
  assert.match((await olive.visit(twice.headers.get("location")!)).html, /is not on hold/);
});

Deno.test("a name with an open command is said at the form, and a tick there withdraws that one", async () => {
  await using server = await startServer();
  const olive = await new Visitor(server).logIn("olive");
  assert.equal((await olive.visit("/hosts/new", NEW_HOST)).status, 201);
  const again = { ...NEW_HOST, "repository.name": "other" };
  const refused = await olive.visit("/hosts/new", again);
  assert.equal(refused.status, 422);
  assert.match(refused.html, /A join command for web-01, made by olive/);
  assert.ok(refused.document.querySelector('input[name="replace_open"]'));
  assert.equal((await olive.visit("/hosts/new", { ...again, replace_open: "on" })).status, 201);
});
