import assert from "node:assert/strict";
import { harmless } from "../../../agent/jobs/hook_variables.ts";

Deno.test("harmless() leaves words, quotes of shells and brackets, and takes what acts in cmd.exe, also in its full width", () => {
  const plain = "naïve /srv/müll (exit 1) it's $HOME `x` ; {a} ~ 😀";
  assert.equal(harmless(plain), plain);
  assert.equal(harmless(`"&|<>^%!`), "????????");
  assert.equal(harmless("a\r\nb\nc\td\0e\x1bf\x7fg\x85h\u2028i\u2029j"), "a??b?c?d?e?f?g?h?i?j");
  assert.equal(harmless("＂＆｜＜＞＾％！"), "????????");
});
