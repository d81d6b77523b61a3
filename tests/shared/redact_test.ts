import assert from "node:assert/strict";
import { maskUrlCredentials, redactor, visible } from "../../shared/redact.ts";

Deno.test("redactor() masks a secret plain, percent-encoded and as JSON, the longest first", () => {
  const redact = redactor(["p@ss word/1", "p@ss", "abc", null]);
  assert.equal(redact("x p@ss word/1 y"), "x *** y");
  assert.equal(redact(`http://u:${encodeURIComponent("p@ss word/1")}@h`), "http://u:***@h");
  assert.equal(redact("abc"), "abc");
  assert.equal(redactor(['a"b\\c'])(JSON.stringify('a"b\\c')), '"***"');
});

Deno.test("maskUrlCredentials() masks what stands before the host", () => {
  assert.equal(
    maskUrlCredentials("rest:https://user:pass@host/ and s3:https://k:s@h/b"),
    "rest:https://***@host/ and s3:https://***@h/b",
  );
});

Deno.test("visible() shows control characters and direction marks instead of obeying them", () => {
  assert.equal(visible("a\x1b[31mb\x00c\x7fd\te"), "a␛[31mb␀c␡d\te");
  assert.equal(visible("\u202egnp.exe"), "\\u202egnp.exe");
  assert.equal(visible("\u009b31m"), "\\u009b31m");
});
