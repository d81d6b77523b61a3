// The name of a download: whatever it was called, it is one line, one file, and no path.
import assert from "node:assert/strict";
import fc from "fast-check";
import { attachment, safeName } from "../../../server/web/attachment.ts";

Deno.test("plain names stay as they are; others keep what every system takes", () => {
  const names: [string, string][] = [
    ["report.txt", "report.txt"],
    ["Bericht für März.pdf", "Bericht für März.pdf"],
    ["../../etc/passwd", "___.._etc_passwd"],
    ["a\\b:c*d?", "a_b_c_d_"],
    ["two\r\nSet-Cookie: x=1", "two__Set-Cookie_ x=1"],
    ["\u202egnp.exe", "_gnp.exe"],
    ["-rf", "_rf"],
    [".bashrc", "_bashrc"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["com1", "_com1"],
    ["console", "console"],
    ["ends. ", "ends__"],
    ["\ud800x", "\ufffdx"],
    ["", "_"],
  ];
  for (const [name, safe] of names) assert.equal(safeName(name), safe, JSON.stringify(name));
  const long = safeName(`${"ä".repeat(500)}.tar`);
  assert.ok(new TextEncoder().encode(long).length <= 240 && long.endsWith("ä.tar"), long);
  assert.equal(
    attachment('a "b" %41 ü\'().zip'),
    `attachment; filename="a _b_ _41 u_'().zip"; filename*=UTF-8''a%20_b_%20%2541%20%C3%BC%27%28%29.zip`,
  );
});

Deno.test("no name leaves its header, and each client that reads it gets a name of a file", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (name) => {
      const header = attachment(name);
      const [, plain = "", encoded = ""] =
        /^attachment; filename="([\x20-\x21\x23-\x7e]+)"; filename\*=UTF-8''([\w.!#$&+^`|~%-]+)$/
          .exec(header) ?? assert.fail(header);
      const whole = decodeURIComponent(encoded);
      for (const each of [plain, whole]) {
        assert.ok(!/[/\\\p{Cc}\p{Bidi_Control}]/u.test(each) && !/^[.-]|[. ]$/.test(each), header);
      }
      new Headers({ "Content-Disposition": header });
    }),
    { numRuns: 500 },
  );
});
