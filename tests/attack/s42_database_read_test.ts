import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { followSetupLink, signIn, withToken } from "../support/browser_session.ts";
import { startServer } from "../support/start_server.ts";

attack({
  id: "S42",
  promise: "whoever has read the database can sign in with nothing that is in it",
  done:
    "every stored hash of a password, session, API token, setup link and join command is used as the secret itself, in " +
    "hexadecimal, base64 and as it is",
  expected: "refused each time",
}, async (see) => {
  await using test = await startServer();
  await signIn(test, "alice");
  await test.api("alice", "POST", "/api/users", { username: "nina", role: "admin" });
  await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: "m",
    repository: { name: "nas", url: "/srv/restic", is_new: true },
  });
  const { db } = test.server;
  const hashes = await db.selectFrom("users").select("password_hash").execute();
  const rows = [
    ...await db.selectFrom("sessions").select("token_hash").execute(),
    ...await db.selectFrom("api_tokens").select("token_hash").execute(),
    ...await db.selectFrom("setup_links").select("token_hash").execute(),
    ...await db.selectFrom("enrolment_tokens").select("token_hash").execute(),
  ];
  const texts = [
    ...hashes.flatMap(({ password_hash }) => [password_hash, password_hash.split("$").at(-1)!]),
    ...rows.flatMap(({ token_hash: hash }) => [
      hash.toHex(),
      hash.toBase64({ alphabet: "base64url", omitPadding: true }),
      `rm_${hash.toBase64({ alphabet: "base64url", omitPadding: true })}`,
    ]),
  ].filter((text) => text !== "");
  const opened: string[] = [];
  for (const text of texts) {
    const tries = [
      await signIn(test, "nina", text),
      await withToken(test, text)("GET", "/api/hosts"),
      await followSetupLink(test, `${test.url}/setup?token=${encodeURIComponent(text)}`),
      await test.api(null, "POST", "/api/agents/enroll", {
        token: text,
        hostname: "m",
        os: "linux",
        arch: "amd64",
        agent_version: "0.1.0",
      }),
      await fetch(`${test.url}/api/hosts`, { headers: { cookie: `rm_session=${text}` } })
        .then(async (response) => {
          await response.body?.cancel();
          return response;
        }),
    ];
    opened.push(...tries.filter(({ status }) => status < 400).map(() => text));
  }
  see(
    `${texts.length} texts of ${
      rows.length + hashes.length
    } hashes in five places: ${opened.length} opened something`,
  );
  assert.ok(texts.length > 15);
  assert.deepEqual(opened, []);
});
