import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { spawnAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

const YAML = `server: SERVER
host_id: 11111111-1111-4111-8111-111111111111
bearer: bearer-of-the-test
# What the owner of this machine allows.
allow_hooks: false
roots: [/srv]
`;

/** A machine that was a host for one start; the servers count who asks to join. */
async function host() {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder);
  const server = stack.use(new FakeServer());
  const path = join(folder, "config/agent.yaml");
  const whole = YAML.replace("SERVER", server.url);
  Deno.mkdirSync(join(folder, "config"));
  Deno.writeTextFileSync(path, whole, { mode: 0o600 });
  const environment = { RM_SERVER: server.url, RM_RESTIC: restic.path, RM_TOKEN: "a-token" };
  {
    await using agent = spawnAgent(folder, { ...environment, RM_TOKEN: "" });
    await server.hello();
    agent.child.kill("SIGTERM");
    await agent.child.status;
  }
  const start = async () => {
    await using agent = spawnAgent(folder, environment);
    const timeout = setTimeout(() => agent.child.kill("SIGKILL"), 15_000);
    const end = await agent.end();
    clearTimeout(timeout);
    return end;
  };
  return Object.assign(stack.move(), { folder, path, whole, server, start, environment });
}

fault({
  id: "4",
  promise:
    "a damaged agent.yaml or identity key stops the agent, and never means no brake or a new machine",
  done:
    "agent.yaml of a host with a brake is made empty, zeros, null, garbage, a folder, one without its bearer, and cut after each line and within the bearer; identity.key is made empty and garbage; a token is at hand each time",
  expected: "exit 1 with a sentence, nothing asked of the server, the file as it was",
}, async (see) => {
  await using all = await host();
  const { whole, path } = all;
  const at = (word: string) => whole.slice(0, whole.indexOf(word));
  const damages: [string, string][] = [
    ["empty", ""],
    ["blank", "  \n\n"],
    ["zeros", "\0".repeat(whole.length)],
    ["null", "null\n"],
    ["garbage", "\u0001\u0002{{{"],
    ["another shape", "- a\n- b\n"],
    ["no bearer", whole.replace(/^bearer.*\n/m, "")],
    ["cut after the server", at("host_id")],
    ["cut after the host", at("bearer: ")],
    ["cut within the bearer", at("-of-the-test")],
    ["cut after the bearer", at("# What")],
    ["cut in the brake", at("roots")],
    ["nothing of a host", "allow_hooks: true\n"],
  ];
  const connections = all.server.connections;
  const check = async (words: string, pattern: RegExp) => {
    const { code, stderr } = await all.start();
    assert.equal(code, 1, `${words}: ${stderr}`);
    assert.match(stderr, pattern, words);
    assert.equal(all.server.enrolments.length, 0, `${words}: it asked to join`);
    assert.equal(all.server.connections, connections, `${words}: it connected`);
  };
  for (const [words, content] of damages) {
    Deno.writeTextFileSync(path, content);
    await check(words, /agent\.yaml .*The file was left as it is/s);
    assert.equal(Deno.readTextFileSync(path), content, words);
  }
  Deno.removeSync(path);
  Deno.mkdirSync(path);
  await check("a folder", /agent\.yaml cannot be read/);
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, whole, { mode: 0o600 });
  const key = join(all.folder, "state/identity.key");
  for (const content of ["", "-----BEGIN PRIVATE KEY-----\nMC4CAQ", "\0\0"]) {
    Deno.writeTextFileSync(key, content, { mode: 0o600 });
    await check(`a key that is ${JSON.stringify(content)}`, /identity\.key is not an Ed25519 key/);
    assert.equal(Deno.readTextFileSync(key), content);
  }
  Deno.removeSync(key);
  see(`${damages.length + 4} damages: exit 1 each, 0 enrolments, 0 connections`);

  // Lines that an owner changes, and even takes away with a word, are no damage.
  Deno.writeTextFileSync(path, `${at("# What")}# everything is allowed now\n`);
  await using agent = spawnAgent(all.folder, { ...all.environment, RM_TOKEN: "" });
  const hello = await eventually("it connects", () => all.server.of("hello")[1], 15_000);
  assert.equal(hello.brakes, undefined);
  agent.child.kill("SIGTERM");
  await agent.child.status;
  see("a brake that its owner took away with a comment in its place is gone");
});
