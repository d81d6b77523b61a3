import assert from "node:assert/strict";
import { canBeReadOnTheWay, isLoopback, serverAddress } from "../../shared/server_address.ts";

const SPELLINGS: [string, string[]][] = [
  ["https://backup.example.org:443", [
    "https://backup.example.org",
    "https://BACKUP.example.org./",
    "wss://backup.example.org:443/ws/agent?x=1",
    "https://backup.example.org:0443/some/path",
  ]],
  ["http://127.0.0.1:8080", [
    "http://127.1:8080",
    "http://0x7f.0.0.1:8080",
    "ws://2130706433:8080",
  ]],
  ["http://127.0.0.1:80", ["http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]:80"]],
  ["http://[fd00::1]:8080", ["http://[FD00:0:0:0:0:0:0:1]:8080/"]],
  ["https://xn--bcher-kva.example:443", ["https://bücher.example", "https://BÜCHER.example."]],
];
for (const [address, spellings] of SPELLINGS) {
  Deno.test(`${address} is one text in all its spellings, and stays what it is`, () => {
    for (const spelling of [address, ...spellings]) {
      assert.equal(serverAddress(spelling), address, spelling);
    }
  });
}

Deno.test("scheme, name and port each make another server, and what is no web address is none", () => {
  const all = ["http://a", "https://a", "http://b", "http://a:81", "http://a.b", "http://[::1]"];
  assert.equal(new Set(all.map(serverAddress)).size, all.length);
  for (const text of ["", "a", "ftp://a", "http://", "file:///etc", "http://a:99999"]) {
    assert.equal(serverAddress(text), undefined, text);
  }
});

Deno.test("the line can be read over plain HTTP beyond loopback, and nowhere else", () => {
  const plain = [
    "http://192.168.1.5",
    "http://backup",
    "http://[fd00::1]:8080",
    "http://127.evil.example",
  ];
  const safe = [
    "https://192.168.1.5",
    "http://localhost:8080",
    "http://127.0.0.53",
    "http://[::1]:1",
  ];
  for (const url of plain) assert.ok(canBeReadOnTheWay(serverAddress(url)!), url);
  for (const url of safe) assert.ok(!canBeReadOnTheWay(serverAddress(url)!), url);
  assert.ok(!isLoopback(serverAddress("http://localhost.evil.example")!));
});
