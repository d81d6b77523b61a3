// "Without restic-manager": the printed text on a bare machine, with secrets that hold whatever they like; and who is shown it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { textOf } from "../../../server/snapshots/by_hand.ts";
import { access, testFolder } from "../../support/start_agent.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { signIn } from "../../support/browser_session.ts";
import { PASSWORD, type Person, startServer } from "../../support/start_server.ts";
import { testUnless } from "../../support/left_out.ts";
import { missingRestServer, startRestServer } from "../../support/rest_server.ts";
import { resticByHand, restics } from "../../support/restic.ts";

const HOSTILE = `it's "one" $HOME \`id\` \\ !x\n-two;#&|<>*?[~ é`;

/** As somebody pastes it: nothing but a PATH with restic, on which it is called restic. */
function paste(text: string, folder: string, restic: string): { code: number; said: string } {
  Deno.mkdirSync(join(folder, "bin"), { recursive: true });
  Deno.symlinkSync(restic, join(folder, "bin/restic"));
  const { code, stdout, stderr } = new Deno.Command("env", {
    args: ["-i", `PATH=${folder}/bin:/usr/bin:/bin`, `HOME=${folder}`, "/bin/sh", "-ec", text],
    cwd: folder,
    stdin: "null",
  }).outputSync();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: decode(stdout) + decode(stderr) };
}

for (const restic of restics) {
  Deno.test(`the printed commands restore on a bare machine (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const source = join(folder.path, "source");
    Deno.mkdirSync(source);
    Deno.writeTextFileSync(join(source, "f"), "content");
    const repository = join(folder.path, "the repo's $place");
    await resticByHand(restic, repository, ["init"], HOSTILE);
    await resticByHand(restic, repository, ["backup", source], HOSTILE);
    const list = JSON.parse(
      await resticByHand(restic, repository, ["snapshots", "--json"], HOSTILE),
    );
    const text = textOf(
      access(repository, { password: HOSTILE, environment: { AWS_PROFILE: HOSTILE } }),
      {
        id: list[0].id,
        source: null,
      },
    );
    const bare = join(folder.path, "bare");
    Deno.mkdirSync(bare);
    const { code, said } = paste(
      text.replace("/srv/restore", join(bare, "restored")),
      bare,
      restic.path,
    );
    assert.equal(code, 0, said);
    assert.match(said, /source/);
    assert.equal(Deno.readTextFileSync(join(bare, "restored", source, "f")), "content");
  });
}

for (const restic of restics) {
  testUnless(
    missingRestServer,
    `the printed commands restore from a REST server with a login, and without it they do not (restic ${restic.version})`,
    async () => {
      using folder = testFolder();
      // rest-server knows no other letters in the name of a user.
      const login = { username: "al.ice@x-1", rest_password: `p@:/%?#'"$HOME \`id\` é` };
      const sha = createHash("sha1").update(login.rest_password).digest("base64");
      const users = join(folder.path, "users");
      Deno.writeTextFileSync(users, `${login.username}:{SHA}${sha}\n`);
      const served = join(folder.path, "served");
      const source = join(folder.path, "source");
      for (const each of [served, source]) Deno.mkdirSync(each);
      Deno.writeTextFileSync(join(source, "f"), "content");
      // By the disk, which needs no login: the text alone must find the way through the server.
      const place = join(served, "repo");
      await resticByHand(restic, place, ["init"], HOSTILE);
      await resticByHand(restic, place, ["backup", source], HOSTILE);
      const [{ id }] = JSON.parse(
        await resticByHand(restic, place, ["snapshots", "--json"], HOSTILE),
      );
      await using server = await startRestServer(served, false, users);
      const run = (name: string, given: Partial<typeof login>) => {
        const text = textOf(access(`${server.url}repo/`, { password: HOSTILE, ...given }), {
          id,
          source: null,
        });
        const bare = join(folder.path, name);
        Deno.mkdirSync(bare);
        return {
          bare,
          ...paste(text.replace("/srv/restore", join(bare, "to")), bare, restic.path),
        };
      };
      const { bare, code, said } = run("with", login);
      assert.equal(code, 0, said);
      assert.equal(Deno.readTextFileSync(join(bare, "to", source, "f")), "content");
      assert.notEqual(run("without", { ...login, rest_password: "another" }).code, 0);
    },
  );
}

Deno.test("rclone is told of the certificate too, and what is a file of the host is said", () => {
  const text = textOf(
    access("rclone:remote:repo", {
      certificate_authority: "PEM",
      environment: { RCLONE_CONFIG: "/etc/rclone's.conf" },
    }),
    { id: "ab".repeat(32), source: null },
  );
  assert.match(
    text,
    /^# RCLONE_CONFIG: a file of the host.*\nexport RCLONE_CONFIG='\/etc\/rclone'\\''s\.conf'$/m,
  );
  assert.match(text, /^export RCLONE_CA_CERT='repository\.pem'$/m);
});

Deno.test("a login of a REST server is in the address, whatever it holds, a certificate in a file, options with each command", () => {
  const certificate = "-----BEGIN CERTIFICATE-----\nit's\n-----END CERTIFICATE-----\n";
  const text = textOf(
    access("rest:https://backup.example.org/a/", {
      username: "al/ice",
      rest_password: "p@ss:w'rd",
      certificate_authority: certificate,
      options: { "rest.connections": "3" },
    }),
    { id: "ab".repeat(32), source: null },
  );
  assert.match(
    text,
    /^export RESTIC_REPOSITORY='rest:https:\/\/al%2Fice:p%40ss%3Aw'\\''rd@backup\.example\.org\/a\/'$/m,
  );
  assert.match(text, /^restic snapshots --cacert repository\.pem -o rest\.connections=3$/m);
  const { stdout } = new Deno.Command("/bin/sh", {
    args: [
      "-ec",
      `cd "$(mktemp -d)"; ${/^printf[^]*?repository\.pem$/m.exec(text)![0]}; cat repository.pem`,
    ],
  }).outputSync();
  assert.equal(new TextDecoder().decode(stdout), certificate);
  const windows = textOf(access("C:\\repo", { password: "it's ‘odd’" }), {
    id: "ab".repeat(32),
    source: { id: "x", name: "pc", os: "windows", time_zone: "UTC", approved_roots: [] },
  });
  assert.match(windows, /^\$env:RESTIC_PASSWORD = 'it''s ‘‘odd’’'$/m);
});

Deno.test("the secrets are shown to an admin after his own password, once, and the audit says so first", async () => {
  await using test = await startServer();
  const id = "1a2b3c4d".repeat(8);
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  await agent.acknowledged(agent.snapshots(host.repositoryId, [id]));
  const path = `/api/snapshots/${id}/by-hand`;
  const ask = (person: Person, password: unknown) => test.api(person, "POST", path, { password });
  assert.equal((await ask("olive", PASSWORD)).status, 403);
  assert.equal((await ask("victor", PASSWORD)).status, 403);
  assert.equal((await ask("alice", "wrong")).status, 422);
  assert.equal((await ask("alice", undefined)).status, 422);
  const audited = () =>
    test.server.database.sqlite.prepare(
      "select actor_name, detail from audit where action = 'repository.secrets_shown'",
    ).all() as { detail: string }[];
  assert.equal(audited().length, 0);
  const shown = await ask("alice", PASSWORD);
  assert.equal(shown.status, 200);
  assert.match(shown.body.text, /^export RESTIC_PASSWORD='a repository password'$/m);
  assert.equal(shown.headers.get("cache-control"), "no-store");
  assert.equal(audited().length, 1);
  assert.ok(!JSON.stringify(audited()).includes("a repository password"));

  const alice = await signIn(test, "alice");
  const post = async (password: string) => {
    const response = await fetch(`${test.url}/snapshots/${id}/by-hand`, {
      method: "POST",
      headers: { cookie: alice.cookie, origin: test.url },
      body: new URLSearchParams({ _csrf: alice.csrf, password }),
      redirect: "manual",
    });
    return {
      status: response.status,
      to: response.headers.get("location"),
      text: await response.text(),
    };
  };
  const wrong = await post("wrong");
  assert.deepEqual([wrong.status, wrong.to?.endsWith("#by-hand")], [303, true]);
  const page = await post(PASSWORD);
  assert.equal(page.status, 200);
  assert.match(page.text, /export RESTIC_PASSWORD=(&#39;|')a repository password/);
  // Guesses are counted as at the login.
  let last = 0;
  for (let n = 0; n < 30 && last !== 429; n++) last = (await ask("alice", `guess ${n}`)).status;
  assert.equal(last, 429);
  assert.ok(!test.logged.join("\n").includes("a repository password"));
  await agent.close();
});
