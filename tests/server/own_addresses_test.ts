import assert from "node:assert/strict";
import { whyNotOurs } from "../../server/own_addresses.ts";

const OWN = () => ["127.0.0.1", "192.168.1.5", "::1", "fd00::5", "fe80::1%eth0"];
function why(
  dialled: string,
  { baseUrl = null as string | null, hostname = "0.0.0.0", peer = "192.168.1.77" } = {},
) {
  const server = { settings: { baseUrl } as never, listening: { hostname, port: 8080 } };
  return whyNotOurs(server, dialled, peer, OWN);
}

Deno.test("with RM_BASE_URL that address is the server's, however it is spelt, and no other one", () => {
  const baseUrl = "https://backup.example.org";
  assert.equal(why("https://backup.example.org:443", { baseUrl }), undefined);
  for (
    const other of [
      "http://backup.example.org:443",
      "https://backup.example.org:8443",
      "https://backup.example.com:443",
      "http://192.168.1.5:8080",
      "http://127.0.0.1:8080",
    ]
  ) {
    assert.match(
      why(other, { baseUrl, peer: "127.0.0.1" })!,
      /RM_BASE_URL of this server is https/,
    );
  }
});

Deno.test("without it an address of an own interface is, by plain HTTP and with the port that is listened on", () => {
  for (const dialled of ["http://192.168.1.5:8080", "http://[fd00::5]:8080"]) {
    assert.equal(why(dialled), undefined);
  }
  const others = [
    "http://192.168.1.6:8080",
    "http://192.168.1.5:80",
    "https://192.168.1.5:8080",
    "http://backup:8080",
    "http://192.168.1.5.evil.example:8080",
  ];
  for (const dialled of others) assert.match(why(dialled)!, /RM_BASE_URL is needed/, dialled);
});

Deno.test("loopback is this machine only to who is on it", () => {
  for (const dialled of ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"]) {
    assert.equal(why(dialled, { peer: "127.0.0.1" }), undefined, dialled);
    assert.match(why(dialled)!, /RM_BASE_URL is needed/, `${dialled} from elsewhere`);
  }
});

Deno.test("a server that listens on one address has no other one", () => {
  const listens = (hostname: string, dialled: string) =>
    why(dialled, { hostname, peer: "127.0.0.1" }) === undefined;
  assert.ok(listens("127.0.0.1", "http://127.0.0.1:8080"));
  assert.ok(listens("127.0.0.1", "http://localhost:8080"));
  assert.ok(!listens("127.0.0.1", "http://127.0.0.2:8080"), "someone else may listen there");
  assert.ok(!listens("127.0.0.1", "http://192.168.1.5:8080"));
  assert.ok(!listens("192.168.1.5", "http://localhost:8080"));
  assert.ok(listens("192.168.1.5", "http://192.168.1.5:8080"));
});
