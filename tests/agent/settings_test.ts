import assert from "node:assert/strict";
import { join } from "node:path";
import { readSettings, saveAgentFile } from "../../agent/settings.ts";
import { testFolder } from "../support/start_agent.ts";

function read(directory: string, environment: Record<string, string> = {}) {
  return readSettings((name) => ({ RM_CONFIG_DIR: directory, ...environment })[name]);
}

Deno.test("what enrolment gave is read again, and the environment wins over it", () => {
  using folder = testFolder();
  saveAgentFile(folder.path, { server: "https://one.example", host_id: "h", bearer: "b" });
  const settings = read(folder.path);
  assert.equal(settings.server, "https://one.example");
  assert.equal(settings.bearer, "b");
  assert.equal(
    read(folder.path, { RM_SERVER: "http://two.example:8080/" }).server,
    "http://two.example:8080",
  );
});

Deno.test("agent.yaml and its folder are closed to others, and saving leaves nothing beside it", () => {
  using folder = testFolder();
  const directory = join(folder.path, "config");
  saveAgentFile(directory, { bearer: "one" });
  saveAgentFile(directory, { bearer: "two" });
  assert.equal(Deno.statSync(directory).mode! & 0o777, 0o700);
  assert.equal(Deno.statSync(join(directory, "agent.yaml")).mode! & 0o777, 0o600);
  assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["agent.yaml"]);
});

Deno.test("saving keeps what an administrator wrote into agent.yaml", () => {
  using folder = testFolder();
  Deno.writeTextFileSync(join(folder.path, "agent.yaml"), "certificate_authority: /etc/ca.pem\n");
  saveAgentFile(folder.path, { bearer: "b" });
  assert.equal(read(folder.path).certificateAuthority, "/etc/ca.pem");
});

const CORRUPT: [name: string, content: string | Uint8Array][] = [
  ["not YAML", "server: [unclosed"],
  ["a list", "- a\n- b\n"],
  ["a number where text belongs", "bearer: 5\n"],
  ["an unknown field", "bearer: x\nbaerer: y\n"],
  ["bytes that are no text", new Uint8Array([0xff, 0xfe, 0x00])],
];

for (const [name, content] of CORRUPT) {
  Deno.test(`an agent.yaml with ${name} is refused by name and never overwritten`, () => {
    using folder = testFolder();
    const path = join(folder.path, "agent.yaml");
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes);
    const refusal = { name: "CorruptFile", message: new RegExp(`^${path} is not`) };
    assert.throws(() => read(folder.path), refusal);
    assert.throws(() => saveAgentFile(folder.path, { bearer: "new" }), refusal);
    assert.deepEqual(Deno.readFileSync(path), bytes);
  });
}

Deno.test("wrong settings are refused with the name of the variable", () => {
  using folder = testFolder();
  for (const server of ["backup.example", "ftp://x", "https://u@x", "https://x/?a=b", "https://"]) {
    assert.throws(() => read(folder.path, { RM_SERVER: server }), /^WrongSetting: RM_SERVER: /);
  }
  assert.throws(
    () => read(folder.path, { RM_LOG_LEVEL: "loud" }),
    /RM_LOG_LEVEL: "loud" must be one of/,
  );
  assert.throws(() => read(folder.path, { RM_TOKEN_FILE: "/nowhere" }), /RM_TOKEN_FILE: \/nowhere/);
});

Deno.test("the token may lie in a file", () => {
  using folder = testFolder();
  const path = join(folder.path, "token");
  Deno.writeTextFileSync(path, "one-time\n");
  assert.equal(read(folder.path, { RM_TOKEN_FILE: path }).token, "one-time");
  assert.equal(read(folder.path, { RM_TOKEN_FILE: path, RM_TOKEN: "direct" }).token, "direct");
});
