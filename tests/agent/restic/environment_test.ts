import assert from "node:assert/strict";
import { buildEnvironment } from "../../../agent/restic/environment.ts";
import { parseRepositoryUrl } from "../../../shared/repository_url.ts";
import { restics } from "../../support/restic.ts";
import { access } from "../../support/start_agent.ts";

function build(
  url: string,
  version: string,
  more: Parameters<typeof access>[1] = {},
  own: Record<string, string> = {},
) {
  return buildEnvironment({
    repository: access(url, more),
    url: parseRepositoryUrl(url),
    version,
    cacheDir: "/state/cache/1",
    own: (name) => own[name],
  });
}

Deno.test("the environment holds only what restic needs", () => {
  const own = {
    PATH: "/bin",
    HOME: "/root",
    RM_TOKEN: "x",
    RESTIC_PASSWORD_COMMAND: "id",
    LD_PRELOAD: "y",
  };
  assert.deepEqual(build("/srv/repo", "0.18.0", {}, own), {
    PATH: "/bin",
    HOME: "/root",
    RESTIC_PASSWORD: "secret-of-the-repository",
    RESTIC_REPOSITORY: "/srv/repo",
    RESTIC_CACHE_DIR: "/state/cache/1",
    RESTIC_PROGRESS_FPS: "1",
  });
});

Deno.test("a service without HOME and PATH gets both", () => {
  const environment = build("/srv/repo", "0.18.0");
  assert.equal(environment.HOME, "/root");
  assert.match(environment.PATH ?? "", /\/usr\/bin/);
});

Deno.test("names outside the list of what a backend may need are left out", () => {
  const environment = {
    AWS_ACCESS_KEY_ID: "id",
    LD_PRELOAD: "/x.so",
    RESTIC_PASSWORD_COMMAND: "id",
  };
  const built = build("s3:https://s3.example/bucket", "0.18.0", { environment });
  assert.equal(built.AWS_ACCESS_KEY_ID, "id");
  assert.equal("LD_PRELOAD" in built || "RESTIC_PASSWORD_COMMAND" in built, false);
});

Deno.test("a REST user goes into variables of their own from 0.16.1 on, else into the URL, encoded", () => {
  const user = { username: "al@pha", rest_password: "p:/ä$&" };
  const url = "rest:https://backup.example:8000/alpha/";
  const recent = build(url, "0.16.1", user);
  assert.equal(recent.RESTIC_REPOSITORY, url);
  assert.equal(recent.RESTIC_REST_USERNAME, "al@pha");
  assert.equal(recent.RESTIC_REST_PASSWORD, "p:/ä$&");
  const old = build(url, "0.16.0", user);
  assert.equal("RESTIC_REST_USERNAME" in old, false);
  assert.equal(
    old.RESTIC_REPOSITORY,
    "rest:https://al%40pha:p%3A%2F%C3%A4%24%26@backup.example:8000/alpha/",
  );
});

for (const restic of restics) {
  Deno.test(`restic ${restic.version} sends a REST user and password as they were entered`, async () => {
    const seen: (string | null)[] = [];
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        seen.push(request.headers.get("authorization"));
        return new Response(null, { status: 404 });
      },
    );
    const url = `rest:http://127.0.0.1:${server.addr.port}/My Backups/`;
    for (
      const username of ["al@ex.org", "DOMAIN\\al", "John Doe", "a/b", "Zoë", "100%", "a&b=c+d"]
    ) {
      const rest_password = `p@:/ #?%${username}`;
      seen.length = 0;
      await new Deno.Command(restic.path, {
        args: ["cat", "config", "--no-lock", "--no-cache"],
        clearEnv: true,
        env: build(url, restic.version, { username, rest_password }, { PATH: "/usr/bin" }),
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      const basic = /^Basic (.*)$/.exec(seen[0] ?? "")?.[1] ?? "";
      const sent = new TextDecoder().decode(Uint8Array.fromBase64(basic));
      assert.equal(sent, `${username}:${rest_password}`);
    }
  });
}
