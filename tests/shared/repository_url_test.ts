import assert from "node:assert/strict";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";

Deno.test("restic's own forms are accepted", () => {
  for (
    const [url, backend] of [
      ["/srv/restic", "local"],
      ["/srv/with space", "local"],
      ["C:\\backup", "local"],
      ["\\\\nas\\share", "local"],
      ["rest:http://host:8000/", "rest"],
      ["rest:https://host/path/", "rest"],
      ["s3:s3.amazonaws.com/bucket", "s3"],
      ["s3:https://minio.local:9000/bucket/path", "s3"],
      ["sftp:user@host:/srv/restic", "sftp"],
      ["sftp:host:relative", "sftp"],
      ["sftp://user@host:2222//srv/restic", "sftp"],
      ["sftp://[::1]/srv", "sftp"],
      ["b2:bucket:path", "b2"],
      ["azure:container:/", "azure"],
      ["gs:bucket:/", "gs"],
      ["rclone:remote:path/to", "rclone"],
      ["swift:container:/path", "swift"],
    ]
  ) assert.equal(parseRepositoryUrl(url!).backend, backend, url);
});

Deno.test("what could run a program, read as an option or carries a password is refused", () => {
  for (
    const url of [
      "",
      "relative/path",
      "-oProxyCommand=id",
      "sftp:-oProxyCommand=id:/x",
      "sftp:user@-oProxyCommand=id:/x",
      "sftp:-l@host:/x",
      "sftp://-oProxyCommand=id/x",
      "sftp:user:password@host:/x",
      "rest:https://user:password@host/",
      "rest:https://user@host/",
      "rest:ftp://host/",
      "rest:https://host/?query",
      "s3:https://key:secret@host/bucket",
      "rclone::sftp,ssh='id':x",
      "rclone:-x:y",
      "b2:--option:x",
      "ext::sh -c id",
      "http://host/",
      "file:///srv",
      "rest:https://host/\npath",
      "rest:https://host/a b",
      "/srv/\u0000x",
      "__proto__:x",
      "constructor:x",
      "/" + "x".repeat(3000),
    ]
  ) assert.throws(() => parseRepositoryUrl(url), RangeError, url);
});

Deno.test("the same repository written differently has one normalised form, another repository another", () => {
  const same = (...urls: string[]) =>
    assert.equal(
      new Set(urls.map((url) => parseRepositoryUrl(url).normalised)).size,
      1,
      urls.join(" "),
    );
  same("/srv/restic", "/srv/restic/", "/srv//restic", "/srv/./restic", "/srv/x/../restic");
  same("rest:http://Host:8000/a/", "rest:http://host:8000/a", "REST:http://host:8000//a/");
  same("rest:https://host/a", "rest:https://host:443/a");
  same("s3:host/bucket", "s3:https://host/bucket/");
  same("sftp://user@host:22/srv", "sftp://user@HOST/srv/");
  same("C:\\Backup", "c:/backup/");
  const all = [
    "/srv/a",
    "/srv/A",
    "rest:http://h/a",
    "rest:http://h/b",
    "rest:https://h/a",
    "sftp:a@h:/x",
    "sftp:b@h:/x",
  ];
  assert.equal(new Set(all.map((url) => parseRepositoryUrl(url).normalised)).size, all.length);
});
