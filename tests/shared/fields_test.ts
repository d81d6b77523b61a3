// Paths as Windows and Linux write them; what could be read as an option or break a line is refused.
import assert from "node:assert/strict";
import { absolutePath, excludePattern } from "../../shared/fields.ts";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";

const ACCEPTED = [
  "/",
  "/home/Zoë Müller/日本語",
  "C:\\",
  "c:/Users/all of us",
  "C:\\Users\\Zoë Müller\\Dokumente & 日本",
  "\\\\server\\share$\\Grüße",
  "\\\\?\\C:\\" + "long\\".repeat(60),
  "\\\\?\\Volume{5f9c2b1e-0000-0000-0000-100000000000}\\data",
];
const REFUSED = [
  "",
  "home",
  "C:",
  "C:relative",
  "1:\\Users",
  "\\Users",
  "--files-from=C:\\secret",
  "-C:\\Users",
  "/home\nC:\\Users",
  "C:\\Users\0",
  "\\\\",
  "\\\\\\share",
];

for (const path of ACCEPTED) {
  Deno.test(`a source may be ${JSON.stringify(path.slice(0, 40))}`, () => {
    assert.equal(absolutePath.parse(path), path);
  });
}
for (const path of REFUSED) {
  Deno.test(`a source may not be ${JSON.stringify(path)}`, () => {
    const { error } = absolutePath.safeParse(path);
    assert.match(error?.issues[0]?.message ?? "", /^must (be an absolute path|not hold)/);
  });
}

Deno.test("patterns may be Windows paths, and a repository may lie on a drive or a share", () => {
  for (
    const pattern of ["*.tmp", "C:\\Users\\*\\AppData\\Local", "\\\\server\\share\\Müll kippe"]
  ) {
    assert.equal(excludePattern.parse(pattern), pattern);
  }
  assert.ok(!excludePattern.safeParse("a\r\nb").success);
  for (const url of ["D:\\Backup Ziel\\repo", "\\\\nas\\backup$\\repo", "d:/backup"]) {
    assert.equal(parseRepositoryUrl(url).backend, "local", url);
  }
});
