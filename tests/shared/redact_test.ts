import assert from "node:assert/strict";
import fc from "fast-check";
import { redactorFor } from "../../agent/jobs/redact.ts";
import { ordinaryWarning } from "../../shared/ordinary_secret.ts";
import { maskUrlCredentials, redactor, visible } from "../../shared/redact.ts";
import { ENVIRONMENT_NAMES, isSecretName } from "../../shared/repository_environment.ts";
import { access } from "../support/start_agent.ts";

Deno.test("redactor() masks a secret in every form that a program may print, the longest first", () => {
  const redact = redactor(["p@ss word/1", "p@ss word", "abc", null]);
  assert.equal(redact("x p@ss word/1 y"), "x *** y");
  assert.equal(redact(`http://u:${encodeURIComponent("p@ss word/1")}@h`), "http://u:***@h");
  assert.equal(redact("q=p%40ss+word%2f1"), "q=***");
  assert.equal(redactor(['a"b\\c-d-e'])(JSON.stringify('a"b\\c-d-e')), '"***"');
  // As Go prints them: in a URL, and in JSON.
  assert.equal(redactor(["p&ss$1@xy"])("http://u:p&ss$1%40xy@h"), "http://u:***@h");
  assert.equal(
    redactor(["p&ss<1>xy"])(String.raw`{"m":"p\u0026ss\u003c1\u003exy"}`),
    '{"m":"***"}',
  );
  assert.equal(redactor(["it's-a-secret"])(String.raw`PW='it'\''s-a-secret'`), "PW='***'");
});

const ORDINARY = ["home", "srv", "x", "2024", "password", "backup", "nas-01.example"];
const TEXTS = ["sftp:nas-01.example:/srv/backups"];

Deno.test("a secret that is an ordinary word leaves the log readable", () => {
  const redact = redactor(ORDINARY, TEXTS);
  for (
    const line of [
      "/srv/home/anna: permission denied",
      "open /home: no such file or directory",
      "restic 0.18.0: backup --json --host=backup --tag=home -- /srv/home /home/x",
      "repository sftp:nas-01.example:/srv/backups cannot be reached",
      "host nas-01.example: connection refused",
      "wrong password or no key found",
      "2024-11-26 backup of home: 2024 files",
      "rclone:home",
      "error: home is not mounted, see /srv",
      "scan [home/a] in 2024",
    ]
  ) assert.equal(redact(line), line);
});

Deno.test("a secret that is an ordinary word is never printed as a value", () => {
  for (const secret of [...ORDINARY, "p@s", "a b", "1$.*"]) {
    const redact = redactor([secret, null, ""], TEXTS);
    const lines: ((plain: string, url: string) => string)[] = [
      (value) => `RESTIC_PASSWORD=${value}`,
      (value) => `export PGPASSWORD='${value}'`,
      (value) => `password: ${value}`,
      (value) => `Password is ${value}`,
      (value) => `the password is "${value}"`,
      (value) => `{"password":"${value}"}`,
      (value) => `"${value}"`,
      (value) => `'${value}'`,
      (value) => value,
      (value) => `  ${value}  `,
      (value) => `first\n${value}\nlast`,
      (_, value) => `rest:http://alpha:${value}@nas/`,
      (_, value) => `http://h/?a=1&sig=${value}&b=2`,
      (value) => `curl -u alpha:${value} http://h/`,
      (value) => `mysqldump -p${value} db`,
      (value) => `tool --db-password=${value}`,
      (value) => `tool --token ${value}`,
      (value) => `AWS_SECRET_ACCESS_KEY = ${value};`,
    ];
    for (const line of lines) {
      const shown = line(secret, encodeURIComponent(secret));
      assert.equal(redact(shown), line("***", "***"), shown);
    }
  }
});

Deno.test("no secret breaks the redactor, and as a value alone on its line none is shown", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), (secret) => {
    fc.pre(!/[\r\n\u2028\u2029]/.test(secret) && secret.trim() === secret);
    assert.equal(redactor([secret])(secret), "***");
  }));
});

Deno.test("a warning names the field and not the secret; a good one gets none", () => {
  for (const secret of [...ORDINARY, "12345678", "Sommer"]) {
    const said = ordinaryWarning("rest_password", secret, TEXTS)!;
    assert.match(said, /^rest_password is short, a plain word/);
    assert.ok(secret.length < 5 || secret === "password" || !said.includes(secret), said);
  }
  for (const secret of ["correct horse battery", "aB3-xY9-zz", "x".repeat(16), null, undefined]) {
    assert.equal(ordinaryWarning("password", secret, TEXTS), undefined);
  }
});

Deno.test("names of keys, regions and users are no secrets, all that opens something is", () => {
  assert.deepEqual(ENVIRONMENT_NAMES.filter(isSecretName), [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_ACCOUNT_KEY",
    "AZURE_ACCOUNT_SAS",
    "AZURE_CLIENT_SECRET",
    "B2_ACCOUNT_KEY",
    "GOOGLE_ACCESS_TOKEN",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_AUTH_TOKEN",
    "OS_PASSWORD",
    "RCLONE_CONFIG_PASS",
    "ST_KEY",
  ]);
  const redact = redactorFor([
    access("s3:https://h/bucket", {
      username: "al@ex.org",
      rest_password: "home",
      environment: { AWS_DEFAULT_REGION: "home", AWS_SECRET_ACCESS_KEY: "wJalrXUt/nFEMI-K7" },
    }),
    null,
  ], "alpha");
  assert.equal(redact("saved /srv/home"), "saved /srv/home");
  assert.equal(redact("key wJalrXUt%2FnFEMI-K7"), "key ***");
  const basic = btoa("al@ex.org:home");
  assert.equal(redact(`Authorization: Basic ${basic}`), "Authorization: Basic ***");
});

Deno.test("maskUrlCredentials() masks what stands before the host", () => {
  assert.equal(
    maskUrlCredentials("rest:https://user:pass@host/ and s3:https://k:s@h/b"),
    "rest:https://***@host/ and s3:https://***@h/b",
  );
  assert.equal(
    maskUrlCredentials("rest:http://al@ex.org:p@ss@host:8000/a@b/ and http://h/a@b"),
    "rest:http://***@host:8000/a@b/ and http://h/a@b",
  );
});

Deno.test("visible() shows control characters and direction marks instead of obeying them", () => {
  assert.equal(visible("a\x1b[31mb\x00c\x7fd\te"), "a␛[31mb␀c␡d\te");
  assert.equal(visible("\u202egnp.exe"), "\\u202egnp.exe");
  assert.equal(visible("\u009b31m"), "\\u009b31m");
});
