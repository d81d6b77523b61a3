// The fields in agent.yaml: what they must be, and that nothing which writes the file touches them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { restoreRefusal } from "../../../agent/brake/refuse.ts";
import { NO_BRAKE } from "../../../agent/brake/brake.ts";
import { leaveBrakeAlone, readSettings, saveAgentFile } from "../../../agent/settings.ts";
import { readStatus } from "../../../agent/status.ts";
import { spawnAgent, testFolder } from "../../support/start_agent.ts";

const TEXT = `# of the owner
allow_hooks: false # not on this machine
roots:
  - /home # people
server: https://one.example
repositories: ["rest:https://backup.example.org/*"]
bearer: secret-of-before
`;

function write(directory: string, text: string, mode = 0o600): string {
  const path = join(directory, "agent.yaml");
  Deno.writeTextFileSync(path, text);
  Deno.chmodSync(path, mode);
  return path;
}

const read = (directory: string) =>
  readSettings((name) => name === "RM_CONFIG_DIR" ? directory : undefined);

Deno.test("what joining writes leaves the brake and every comment as they are", () => {
  using folder = testFolder();
  const path = write(folder.path, TEXT);
  saveAgentFile(folder.path, {
    server: "https://two.example",
    host_id: "h",
    bearer: "b",
    token_refused: undefined,
  });
  const text = Deno.readTextFileSync(path);
  for (const line of TEXT.split("\n").filter((each) => !/^(server|bearer):/.test(each))) {
    assert.ok(text.includes(line), line);
  }
  assert.deepEqual(read(folder.path).brake, {
    allowHooks: false,
    allowRestoreInPlace: true,
    roots: ["/home"],
    repositories: ["rest:https://backup.example.org/*"],
  });
  assert.ok(leaveBrakeAlone(folder.path));
  const left = Deno.readTextFileSync(path);
  assert.ok(left.includes("allow_hooks: false # not on this machine") && left.includes("- /home"));
  assert.doesNotMatch(left, /bearer|server|host_id/);
  write(folder.path, "bearer: b\n");
  assert.ok(!leaveBrakeAlone(folder.path));
  assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
});

const WRONG: [string, RegExp][] = [
  ["allow_hooks: no\n", /allow_hooks: must be true or false/],
  ["allow_hooks:\n", /allow_hooks: must be true or false/],
  ["allow_restore_in_place: 0\n", /allow_restore_in_place: must be true or false/],
  ["roots: /home\n", /roots: must be a list of absolute folders/],
  ["roots:\n", /roots: must be a list/],
  ["roots: [home]\n", /roots\.0: must be an absolute folder/],
  ["roots: [/home/*]\n", /roots\.0: must be a folder, without \*/],
  ["roots: [/home/../etc]\n", /roots\.0: must be written without \.\./],
  ["roots: ['']\n", /roots\.0: must be an absolute folder/],
  ["repositories: rest:*\n", /repositories: must be a list of addresses/],
  [
    "repositories: [backup.example.org]\n",
    /repositories\.0: must be an address as restic takes it/,
  ],
  ["allow_hook: false\n", /allow_hook/],
  ["Allow_hooks: false\n", /Allow_hooks/],
  ["allow_hooks: true\nallow_hooks: false\n", /not YAML/],
];
for (const [text, sentence] of WRONG) {
  Deno.test(`the agent does not run with ${JSON.stringify(text)} in agent.yaml`, async () => {
    using folder = testFolder();
    Deno.mkdirSync(join(folder.path, "config"));
    write(join(folder.path, "config"), `bearer: b\nserver: http://127.0.0.1:9\n${text}`);
    assert.throws(() => read(join(folder.path, "config")), sentence);
    if (!text.startsWith("allow_hooks: no")) return;
    await using agent = spawnAgent(folder.path, {});
    const { code, stderr } = await agent.end();
    assert.equal(code, 1);
    assert.match(stderr, sentence);
  });
}

Deno.test("an agent.yaml that others can write keeps the agent from running", async () => {
  using folder = testFolder();
  Deno.mkdirSync(join(folder.path, "config"));
  write(join(folder.path, "config"), "bearer: b\nserver: http://127.0.0.1:9\n", 0o666);
  await using agent = spawnAgent(folder.path, {});
  const { code, stderr } = await agent.end();
  assert.equal(code, 1);
  assert.match(stderr, /agent\.yaml can be changed by others than root/);
});

Deno.test("status prints what the owner allows", async () => {
  using folder = testFolder();
  write(folder.path, TEXT);
  const { lines } = await readStatus({
    ...read(folder.path),
    stateDir: join(folder.path, "state"),
  });
  const text = lines.join("\n");
  assert.match(text, /^hooks {12}refused \(agent\.yaml\)$/m);
  assert.match(text, /^in-place restore allowed$/m);
  assert.match(text, /^folders {10}\/home \(agent\.yaml\)$/m);
  assert.match(text, /^repositories {5}rest:https:\/\/backup\.example\.org\/\* \(agent\.yaml\)$/m);
});

Deno.test("a restore asks: in place only where that is allowed, and written only below the roots", () => {
  using folder = testFolder();
  const inside = join(folder.path, "files");
  const brake = { ...NO_BRAKE, allowRestoreInPlace: false, roots: [folder.path] };
  assert.equal(restoreRefusal(NO_BRAKE, { isInPlace: true, paths: ["/etc"] }), undefined);
  assert.equal(restoreRefusal(brake, { isInPlace: false, paths: [inside] }), undefined);
  assert.match(
    restoreRefusal(brake, { isInPlace: true, paths: [inside] })!,
    /allow_restore_in_place: false/,
  );
  assert.match(
    restoreRefusal(brake, { isInPlace: false, paths: [inside, "/etc"] })!,
    /^\/etc lies outside/,
  );
  const inPlace = { ...brake, allowRestoreInPlace: true };
  assert.match(
    restoreRefusal(inPlace, { isInPlace: true, paths: ["/etc/passwd"] })!,
    /lies outside/,
  );
  assert.match(
    restoreRefusal({ ...brake, roots: [] }, { isInPlace: false, paths: [inside] })!,
    /roots: none/,
  );
});
