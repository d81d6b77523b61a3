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
      ["rclone:Google Drive:My Backups", "rclone"],
      ["rclone:gdrive:2024/backup", "rclone"],
      ["rest:https://host/My Backups/", "rest"],
      ["s3:https://host/bucket/My Backups", "s3"],
      ["sftp:nas:My Backups", "sftp"],
      ["sftp:al@ex.org@nas:/srv", "sftp"],
      ["sftp://al%40ex.org@nas//srv", "sftp"],
      ["sftp:nas:./2222/x", "sftp"],
      ["sftp:nas:20241126/x", "sftp"],
      ["sftp:nas:./a@b", "sftp"],
      ["sftp:nas:", "sftp"],
      ["b2:bucket", "b2"],
      ["local:/srv/restic", "local"],
      ["rest:https://bücher.example/ü/", "rest"],
      ["rest:http://nas.1:8000/", "rest"],
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
      "rest:https://host/a -b",
      "rest:https://host/a%20-b",
      "rclone:Google Drive -x:My Backups",
      "rclone:remote:a\u00a0-b",
      "/srv/a -oProxyCommand=id",
      "sftp://host/a%0ab",
      "sftp://host/%zz",
      "sftp:host:~/x",
      "sftp:host:a/../~z",
      "rclone:remote,ssh=id:x",
      "rest:https:host/path",
      "rest:https:///host/path",
      "rest:https://good\\@bad/path",
      "s3:httpbin.org/bucket",
      "s3:https://host//bucket",
      "s3:host",
      "swift:container:path",
      "gs:bucket",
      "b2:buck.et:path",
      "local:relative",
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
  same("C:\\Backup", "c:/backup/", "\\\\?\\C:\\backup", "C:\\x\\..\\backup.", "local:C:/BACKUP /");
  same("\\\\NAS\\Share\\a", "\\\\?\\UNC\\nas\\share\\a\\");
  same("/srv/a", "local:/srv/a", "/../srv/./a");
  same(
    "rest:https://Host./a%62/./c",
    "rest:https://host:443/ab/c/",
    "rest:https://host:0443/x/../%61b/c",
  );
  same("rest:https://bücher.example/", "rest:https://xn--bcher-kva.example:/");
  same("rest:http://[FD00::0:1]/a", "rest:http://[fd00::1]:80/a");
  same("s3:host/bucket/a b", "s3:https://host/bucket/a%20b", "s3://host/bucket/./a b/");
  same("azure:box:/a", "azure:box:a/", "azure:box:./x/../a");
  same("b2:bucket", "b2:bucket:", "b2:bucket:/");
  same("swift:box:/a", "swift:box:/./a/");
  same("sftp:al@ex.org@nas:/srv", "sftp://al%40ex.org@nas//srv");
  const all = [
    "/srv/a",
    "/srv/A",
    "rest:http://h/a",
    "rest:http://h/b",
    "rest:https://h/a",
    "sftp:a@h:/x",
    "sftp:b@h:/x",
    "s3:h/bucket/p",
    "s3:h/bucket//p",
    "s3:h/bucket/P",
    "s3:h/bucket/%70",
    "swift:box:/p",
    "swift:box://p",
    "/srv/\u00fc",
    "/srv/u\u0308",
    "//nas/srv/a",
    "\\\\nas\\srv\\a",
  ];
  assert.equal(new Set(all.map((url) => parseRepositoryUrl(url).normalised)).size, all.length);
});

Deno.test("a port where the form has none is refused in every spelling, with the form that has one", () => {
  for (
    const [url, port] of [
      ["sftp:al@nas:2222:/srv", "2222"],
      ["sftp:al@nas:2222/srv", "2222"],
      ["sftp:al@nas:2222", "2222"],
      ["sftp:al@nas: 2222/srv", "2222"],
      ["sftp:al@nas::2222/srv", "2222"],
      ["sftp:al@nas:[2222]/srv", "2222"],
      ["sftp:al@nas:+2222/srv", "\\+?2222"],
      ["sftp:al@nas:%32222/srv", "2222"],
      ["sftp:al@nas:02222/srv", "02222"],
      ["sftp:al@nas:２２２２/srv", "2222"],
      ["sftp:al@nas:٢٢٢٢/srv", "2222"],
    ]
  ) {
    assert.throws(() => parseRepositoryUrl(url!), {
      message: new RegExp(`sftp://al@nas:${port}//path.*sftp:al@nas:\\./`),
    }, url);
  }
  for (
    const url of [
      "sftp:[::1]:2222/srv",
      "sftp:[::1]:/srv",
      "sftp:al@[::1]:/srv",
      "sftp://nas:2222:/srv",
      "sftp://nas:22x/srv",
      "sftp://nas:0/srv",
      "sftp://nas:99999/srv",
      "sftp:ssh://nas:22/srv",
      "rest:https://nas:8000:/srv",
      "rest:https://nas/:8000/srv",
      "rest:nas:8000/srv",
      "s3:nas/bucket:9000/srv",
      "s3:https://nas:9000:/bucket",
      "rclone:nas:2222:/srv",
      "gs:bucket:443:/srv",
      "b2:bucket:443:/srv",
      "\\\\nas:445\\share",
      "nas:2222:/srv",
    ]
  ) assert.throws(() => parseRepositoryUrl(url), RangeError, url);
});

Deno.test("sftp: a path below the home folder and one from the root are two places, in both forms", () => {
  const key = (url: string) => parseRepositoryUrl(url).normalised;
  assert.equal(key("sftp:nas:srv"), key("sftp://nas/srv"));
  assert.equal(key("sftp:nas:/srv"), key("sftp://nas//srv"));
  assert.equal(key("sftp:nas:/srv"), key("sftp://NAS.:22/%2Fsrv/./"));
  assert.notEqual(key("sftp:nas:srv"), key("sftp:nas:/srv"));
  assert.notEqual(key("sftp:nas:srv"), key("sftp:nas:../srv"));
  assert.equal(key("sftp:nas:a/../../srv"), key("sftp://nas/../srv"));
  assert.equal(key("sftp:nas:/../srv"), key("sftp:nas:/srv"));
  assert.notEqual(key("sftp:nas:a%20b"), key("sftp://nas/a%20b"));
  assert.notEqual(key("rclone:nas:srv"), key("rclone:nas:/srv"));
});

Deno.test("a path of the host is a place of each host, a share one place for all", () => {
  const isOfHost = (url: string) => parseRepositoryUrl(url).isOfHost;
  for (const url of ["/srv/a", "C:\\a", "\\\\localhost\\share\\a", "\\\\?\\C:\\a"]) {
    assert.equal(isOfHost(url), true, url);
  }
  for (const url of ["\\\\nas\\share\\a", "sftp:localhost:/a", "rest:http://127.0.0.1/a"]) {
    assert.equal(isOfHost(url), false, url);
  }
});
