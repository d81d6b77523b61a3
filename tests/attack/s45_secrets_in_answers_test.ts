import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { call, postForm, signIn } from "../support/browser_session.ts";
import { waysToGive } from "../support/repository_ways.ts";
import { startServer } from "../support/start_server.ts";
import { makeWorld, textsBelow } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

const C = "canary45";
/** As they are, as JSON, HTML, forms and base64 would have them. */
function formsOf(secret: string): string[] {
  const html = secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    html,
    btoa(secret).replaceAll("=", ""),
    html.replaceAll("'", "&#39;"),
  ];
}
/** With characters that each of these writes in its own way. */
const secretOf = (name: string) => `${C}-${name}-"<&'é`;

attack({
  id: "S45",
  promise: "a secret that was entered is in no answer, page, log, audit row or file in the clear",
  done:
    "a canary is entered as every secret that there is, by each route and form, in requests that succeed and in requests that fail at another field or are broken; then every route is read as an admin, with log, audit and database file",
  expected: "none of them, in any spelling; of each it is only said that it is set",
}, async (see) => {
  await using test = await startServer();
  await using ways = await waysToGive(test);
  await using world = await makeWorld(test);
  const given: string[] = [];
  const secret = (name: string) => {
    const text = secretOf(`${name}-${given.length}`);
    given.push(text);
    return text;
  };
  const read: [string, string][] = [];
  const fields = (way: string) => ({
    username: "everyday",
    password: secret(`${way} password`),
    rest_password: secret(`${way} rest_password`),
    environment: {
      AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
      AWS_SECRET_ACCESS_KEY: secret(`${way} aws`),
      ST_KEY: secret(`${way} st`),
    },
  });
  const statuses: number[] = [];
  for (const [way, give] of Object.entries(ways.give)) {
    const wrong: [string, Record<string, unknown>][] = [
      ["a wrong address", { url: "nonsense" }],
      ["a wrong variable", {
        environment: { PATH: secret("PATH"), AZURE_ACCOUNT_KEY: secret("az") },
      }],
      ["two lines", { rest_password: `${secret("line")}\nx` }],
      ["a wrong option", { options: { "s3.retries": secret("option") } }],
      ["nothing wrong", {}],
    ];
    for (const [what, more] of wrong) {
      const { status, text } = await give({ ...fields(way), ...more } as never);
      // A form shows what was typed into fields that are no secrets: an option is none.
      const shown = what === "a wrong option"
        ? text.replaceAll(/<textarea[^]*?<\/textarea>/g, "")
        : text;
      read.push([`the answer to ${way} with ${what}`, shown]);
      statuses.push(status);
    }
  }
  const admin = {
    username: "admin",
    rest_password: secret("admin"),
    environment: { ST_KEY: secret("adm") },
  };
  const path = `/api/repositories/${ways.host.repositoryId}/admin-credential`;
  for (const body of [{ ...admin, username: 7 }, { ...admin, everyday: true }, admin]) {
    const { status, body: said } = await test.api("alice", "PUT", path, body);
    statuses.push(status);
    read.push(["the answer to admin-credential", JSON.stringify(said)]);
  }
  const password = secret("login password");
  for (const username of ["alice", password, "nobody"]) {
    const wrong = await call(test, "POST", "/api/auth/login", { body: { username, password } });
    const form = await postForm(test, "/login", { username: "alice", password });
    read.push(["a wrong login", JSON.stringify(wrong.body) + form.text]);
  }
  const broken = await fetch(`${test.url}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"username":"alice","password":"${password}"`,
  });
  read.push(["a broken login", await broken.text()]);
  const alice = await signIn(test, "alice");
  const changed = await postForm(test, "/account/password", {
    current_password: secret("current"),
    new_password: secret("new"),
    new_password_again: secret("again"),
  }, alice.cookie);
  read.push(["a wrong change of the password", changed.text]);
  const made = (await test.api("olive", "POST", "/api/tokens", { name: "x" })).body.token;
  const join45 = (await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: "late",
    repository_id: ways.host.repositoryId,
  })).body.token;
  const link = new URL(
    (await test.api("alice", "POST", "/api/users", { username: "eve", role: "viewer" })).body
      .setup_url,
  ).searchParams.get("token")!;
  given.push(made, join45, link, ways.host.bearer, ...Object.values(test.tokens));
  given.push(alice.cookie.split("=")[1]!);
  // A fault of the server's own must not tell what it was given either.
  test.server.database.sqlite.exec("alter table repositories rename to gone");
  const fault = await ways.give["POST /api/repositories"]!(fields("fault") as never);
  test.server.database.sqlite.exec("alter table gone rename to repositories");
  read.push(["a fault", fault.text]);
  assert.equal(fault.status, 500);

  const [real] = world.hosts;
  const here = { ...real!, hostId: ways.host.hostId, repositoryId: ways.host.repositoryId };
  for (const route of ROUTES.filter(({ method }) => method === "GET")) {
    for (const host of [real!, here]) {
      const to = world.pathOf(route, host);
      const response = await fetch(test.url + to, {
        headers: { cookie: alice.cookie, accept: "text/html" },
        redirect: "manual",
        signal: AbortSignal.timeout(3000),
      });
      const isStream = /event-stream/.test(response.headers.get("content-type") ?? "");
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const part = await reader?.read();
        if (!part || part.done) break;
        text += decoder.decode(part.value, { stream: true });
        if (isStream) break;
      }
      await reader?.cancel();
      read.push([`GET ${to}`, text]);
    }
  }
  read.push(["the log", test.logged.join("\n")]);
  await test.server.database.flush();
  read.push(...Object.entries(await textsBelow(test.dataDir)));
  const leaks = read.flatMap(([where, text]) =>
    given.filter((each) => formsOf(each).some((form) => text.includes(form)))
      .map((each) => `${each} in ${where}`)
  );
  const counts = Map.groupBy(statuses, (status) => status);
  see(
    `${given.length} secrets, answers ${
      [...counts].map(([status, all]) => `${all.length} × ${status}`).join(", ")
    }; ${read.length} answers and files searched; found: ${leaks.join("; ") || "none"}`,
  );
  assert.deepEqual(leaks, []);
  const shown = read.map(([, text]) => text).join("");
  assert.ok(shown.includes('"password_set":true') && shown.includes("AKIAEXAMPLE") === false);
});
