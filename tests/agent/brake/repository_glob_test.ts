import assert from "node:assert/strict";
import { readGlob } from "../../../agent/brake/repository_glob.ts";
import { parseRepositoryUrl } from "../../../shared/repository_url.ts";

const CASES: [glob: string, matches: string[], not: string[]][] = [
  ["*", ["/srv/a", "rest:https://h/", "rclone:x:y", "swift:c:/"], []],
  ["rest:*", ["rest:https://h:8000/a/b/"], ["s3:h/bucket", "/rest:/x"]],
  ["rest:https://Backup.example.org:443/*", [
    "rest:https://backup.example.org/a/b",
    "rest:HTTPS://BACKUP.example.org./a",
  ], [
    "rest:http://backup.example.org/a",
    "rest:https://backup.example.org.evil.example/a",
    "rest:https://evil.example/backup.example.org/a",
    "rest:https://backup.example.org:8443/a",
    "rest:https://backup.example.org/../a".replace("..", "%2e%2e") + "/../..",
  ]],
  ["rest:https://*.example.org/*", ["rest:https://a.example.org/x/y"], [
    "rest:https://evil.example/.example.org/x",
    "rest:https://example.org/x",
  ]],
  ["/srv/restic/*", ["/srv/restic/web", "local:/srv//restic/./web/x"], [
    "/srv/restic",
    "/srv/restic/../etc",
    "/srv/resticx/y",
    "/x/srv/restic/web",
  ]],
  ["/srv/*/web", ["/srv/a/web"], ["/srv/a/b/web", "/srv/a/web/x"]],
  ["sftp:backup@nas:/srv/*", ["sftp://backup@nas:22//srv/x"], [
    "sftp:root@nas:/srv/x",
    "sftp:backup@nas:srv/x",
    "sftp://backup@nas:2222//srv/x",
  ]],
  ["D:\\Backup\\*", ["d:/backup/REPO", "\\\\?\\D:\\Backup\\x"], [
    "D:\\Backup2\\x",
    "C:\\Backup\\x",
  ]],
  ["s3:https://s3.example.org/bucket/*", ["s3:s3.example.org/bucket/x"], [
    "s3:s3.example.org/bucket2/x",
  ]],
  ["/srv/a.b", ["/srv/a.b"], ["/srv/aXb"]],
];
for (const [glob, matches, not] of CASES) {
  Deno.test(`${glob} matches what it says, in every spelling of the address`, () => {
    const test = (url: string) => {
      let normalised;
      try {
        normalised = parseRepositoryUrl(url).normalised;
      } catch {
        return false;
      }
      return readGlob(glob).test(normalised);
    };
    for (const url of matches) assert.ok(test(url), url);
    for (const url of not) assert.ok(!test(url), url);
  });
}

Deno.test("what is no address is refused, with what is accepted", () => {
  for (
    const glob of ["", "backup", "https://h/x", "srv/*", "/srv/../etc/*", "/srv/\nx", "PATH=*"]
  ) {
    assert.throws(() => readGlob(glob), /must be an address/, glob);
  }
});
