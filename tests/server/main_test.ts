import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort, runOnce, start } from "../support/programs.ts";
import { eventually } from "../support/eventually.ts";

async function withFolder(
  work: (folder: string, env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rm-main-" });
  try {
    await work(folder, { RM_DATA_DIR: join(folder, "data"), RM_LISTEN: `127.0.0.1:${freePort()}` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a wrong setting stops the start with one sentence that names it, its value and what is accepted", async (t) => {
  const cases: [string, string][] = [
    ["RM_LISTEN", "8080"],
    ["RM_LISTEN", "localhost:99999"],
    ["RM_BASE_URL", "backup.example.org"],
    ["RM_BASE_URL", "https://backup.example.org/path"],
    ["RM_TRUSTED_PROXY", "10.0.0.0/40"],
    ["RM_COOKIE_SECURE", "maybe"],
    ["RM_LOG_LEVEL", "loud"],
  ];
  for (const [name, value] of cases) {
    await t.step(`${name}=${value}`, async () => {
      const { code, stderr } = await runOnce("server", ["check-settings"], { [name]: value });
      assert.equal(code, 1);
      assert.ok(stderr.includes(name) && stderr.includes(value), stderr);
      assert.equal(stderr.trim().split("\n").length, 1);
    });
  }
});

Deno.test("--help prints every setting, a wrong command is wrong use", async () => {
  const help = await runOnce("server", ["--help"], {});
  assert.equal(help.code, 0);
  for (
    const name of [
      "RM_LISTEN",
      "RM_DATA_DIR",
      "RM_BASE_URL",
      "RM_SECRET_KEY_FILE",
      "RM_TRUSTED_PROXY",
      "RM_COOKIE_SECURE",
      "RM_LOG_LEVEL",
    ]
  ) {
    assert.ok(help.stdout.includes(name), name);
  }
  for (
    const args of [
      ["fly"],
      ["user"],
      ["user", "add", "x"],
      ["user", "add", "x", "--role", "king"],
      ["token"],
      ["backup-database"],
      ["serve", "x"],
      ["user", "list", "x"],
      ["user", "disable"],
      ["user", "role", "x"],
      ["user", "role", "x", "king"],
      ["setup-link", "x"],
      ["verify-audit", "--fix"],
      ["verify-audit", "a", "b"],
      ["user", "add", "x", "--colour", "red"],
    ]
  ) {
    assert.equal(
      (await runOnce("server", args, { RM_DATA_DIR: "/nonexistent/x" })).code,
      2,
      args.join(" "),
    );
  }
});

Deno.test("the first start prints a setup link that makes the first admin once", async () => {
  await withFolder(async (_, env) => {
    await using server = start("server", ["serve"], env);
    const link = await eventually(
      "the link",
      () => /http\S+\/setup\?token=(\S+)/.exec(server.printed()) ?? undefined,
    );
    const url = new URL(link[0]);
    const body = new URLSearchParams({
      token: link[1]!,
      username: "root",
      password: "a long enough passphrase",
      password_again: "a long enough passphrase",
    });
    const post = () =>
      fetch(`${url.origin}/setup`, {
        method: "POST",
        body,
        headers: { origin: url.origin },
        redirect: "manual",
      });
    const made = await post();
    await made.body?.cancel();
    assert.equal(made.status, 303);
    assert.match(made.headers.get("set-cookie") ?? "", /session/);
    const again = await post();
    await again.body?.cancel();
    assert.ok(
      again.status >= 400 || again.headers.get("location") === "/login",
      String(again.status),
    );
    assert.equal(await server.end(), 0);
  });
});

Deno.test("users, tokens and a copy of the database are made at the command line, beside a running server", async () => {
  await withFolder(async (folder, env) => {
    await using server = start("server", ["serve"], env);
    await eventually("it listens", () => server.printed().includes("listens on"));
    const added = await runOnce("server", ["user", "add", "alice", "--role", "admin"], env);
    assert.equal(added.code, 0, added.stderr);
    const password = added.stdout.trim().split("\n").at(-1)!;
    assert.equal(
      (await runOnce("server", ["user", "add", "Alice", "--role", "admin"], env)).code,
      1,
    );
    assert.equal((await runOnce("server", ["token", "create", "--user", "nobody"], env)).code, 1);
    const token = (await runOnce("server", ["token", "create", "--user", "alice"], env)).stdout
      .trim();
    const origin = `http://${env.RM_LISTEN}`;
    const use = await fetch(`${origin}/api/hosts`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await use.body?.cancel();
    assert.equal(use.status, 200);
    const logIn = async (secret: string) => {
      const response = await fetch(`${origin}/api/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "alice", password: secret }),
      });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await logIn(password), 200);
    const reset = await runOnce("server", ["user", "reset-password", "alice"], env);
    assert.equal(await logIn(password), 401);
    assert.equal(await logIn(reset.stdout.trim().split("\n").at(-1)!), 200);
    const copy = join(folder, "copy.db");
    assert.equal((await runOnce("server", ["backup-database", copy], env)).code, 0);
    assert.equal((await Deno.stat(copy)).mode! & 0o777, 0o600);
    assert.equal((await runOnce("server", ["backup-database", copy], env)).code, 1);
    const second = await runOnce("server", ["serve"], { ...env, RM_LISTEN: "127.0.0.1:0" });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /already using/);
  });
});

Deno.test("data folder, database and key are private to the server's user", async () => {
  await withFolder(async (folder, env) => {
    await using server = start("server", ["serve"], env);
    await eventually("it listens", () => server.printed().includes("listens on"));
    const mode = async (path: string) =>
      (await Deno.stat(join(folder, "data", path))).mode! & 0o777;
    assert.equal(await mode(""), 0o700);
    for (const file of ["restic-manager.db", "restic-manager.db-wal", "secret.key"]) {
      assert.equal(await mode(file), 0o600, file);
    }
  });
});

Deno.test("users are listed, disabled, demoted and removed at the command line, beside a running server, but not the last admin", async () => {
  await withFolder(async (_, env) => {
    await using server = start("server", ["serve"], env);
    await eventually("it listens", () => server.printed().includes("listens on"));
    const run = (...args: string[]) => runOnce("server", args, env);
    const add = (name: string, role: string) => run("user", "add", name, "--role", role);
    assert.equal((await add("alice", "admin")).code, 0);
    assert.equal((await add("bob", "admin")).code, 0);
    const token = (await run("token", "create", "--user", "bob")).stdout.trim();
    const use = async () => {
      const response = await fetch(`http://${env.RM_LISTEN}/api/users`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await use(), 200);
    assert.equal((await run("user", "role", "bob", "viewer")).code, 0);
    assert.equal(await use(), 403);
    for (const args of [["disable", "alice"], ["remove", "alice"], ["role", "alice", "operator"]]) {
      const { code, stderr } = await run("user", ...args);
      assert.equal(code, 1);
      assert.match(stderr, /last admin/);
    }
    assert.equal((await run("user", "disable", "bob")).code, 0);
    assert.equal(await use(), 401);
    const list = (await run("user", "list")).stdout;
    assert.match(list, /alice\tadmin\tenabled[\s\S]*bob\tviewer\tdisabled/);
    assert.equal((await run("user", "enable", "bob")).code, 0);
    assert.equal(await use(), 401, "what was ended stays ended");
    assert.equal((await run("user", "remove", "bob")).code, 0);
    assert.equal((await run("user", "remove", "bob")).code, 1);
    const audit = await run("verify-audit");
    assert.equal(audit.code, 0, audit.stderr);
  });
});
