// What `deno task build` promises: the same bytes twice, no more rights than are written down, no code from a temporary folder.
import assert from "node:assert/strict";
import { firstOf, missingFile, testUnless } from "../support/left_out.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProgramName } from "../../deploy/build/bundle.ts";
import { compileProgram } from "../../deploy/build/compile.ts";
import { VERSION } from "../../shared/version.ts";
import { build } from "../support/compiled.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NATIVE = `linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;

async function run(program: string, args: string[], options: Deno.CommandOptions = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, ...options }).output()
    .catch((error) => ({
      code: -1,
      stdout: new Uint8Array(),
      stderr: new TextEncoder().encode(error),
    }));
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rm-build-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The checkout as it stands, in another place. */
async function copyCheckout(to: string): Promise<void> {
  const list = ["-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"];
  const { stdout, code } = await run("git", list);
  // Without git the folder is taken as it is.
  const files = code === 0 ? [...stdout.split("\0").filter(Boolean), ".git"] : ["."];
  await Deno.mkdir(to);
  const copied = await run("cp", ["-a", "--parents", ...files, to], { cwd: ROOT });
  assert.equal(copied.code, 0, copied.stderr);
}

Deno.test("two builds of one commit in two places are the same bytes, and SHA256SUMS is right", async () => {
  await withFolder(async (folder) => {
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    await build(NATIVE, first);
    await copyCheckout(join(folder, "checkout"));
    await build(NATIVE, second, join(folder, "checkout"));
    const sums = await Deno.readTextFile(join(first, "SHA256SUMS"));
    assert.deepEqual(
      sums.trimEnd().split("\n").map((line) => line.split("  ")[1]),
      [`restic-manager-agent-${NATIVE}`, `restic-manager-server-${NATIVE}`],
    );
    assert.equal(await Deno.readTextFile(join(second, "SHA256SUMS")), sums);
    const checked = await run("sha256sum", ["--check", "SHA256SUMS"], { cwd: second });
    assert.equal(checked.code, 0, checked.stdout);

    // The same two programs, as someone meets them who just downloaded them.
    const head = await run("git", ["-C", ROOT, "rev-parse", "HEAD"]);
    const commit = head.code === 0
      ? `commit ${head.stdout.slice(0, 12)}( with changes)?, \\d{4}-\\d\\d-\\d\\d`
      : "of an unknown commit";
    for (const name of ["agent", "server"]) {
      const program = join(first, `restic-manager-${name}-${NATIVE}`);
      const { stdout } = await run(program, ["version"], { clearEnv: true, cwd: "/" });
      const said = new RegExp(
        `^restic-manager-${name} ${VERSION} \\(${commit}\\)\n$`,
      );
      assert.match(stdout, said);
    }
    await opensNoCodeCache(folder, join(first, `restic-manager-agent-${NATIVE}`));
    await opensNoCodeCache(folder, join(first, `restic-manager-server-${NATIVE}`));
  });
});

/** Deno's compiled programs look for machine code at $TMPDIR/deno-compile-<name>.cache, unless told not to. */
async function opensNoCodeCache(folder: string, program: string): Promise<void> {
  const tmp = await Deno.makeTempDir({ dir: folder });
  const trace = join(folder, "trace");
  const strace = ["-f", "-e", "trace=%file", "-o", trace, program, "--help"];
  const { code, stderr } = await run("strace", strace, { env: { TMPDIR: tmp } });
  assert.equal(code, 0, stderr);
  const calls = (await Deno.readTextFile(trace)).split("\n");
  assert.ok(calls.length > 20, "strace saw what the program opens");
  assert.deepEqual(calls.filter((call) => call.includes(tmp)), []);
  assert.deepEqual([...Deno.readDirSync(tmp)], []);
}

const PROBE = `
const tries = {
  run: () => new Deno.Command("/bin/true").outputSync(),
  ffi: () => Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {}),
  home: () => Deno.env.get("HOME"),
  setting: () => Deno.env.get("RM_LISTEN"),
  addresses: () => Deno.networkInterfaces(),
  sys: () => Deno.osRelease(),
  import: () => import("http://127.0.0.1:9/x.js"),
};
for (const [name, act] of Object.entries(tries)) {
  try {
    await act();
    console.log(name, "may");
  } catch (error) {
    console.log(name, error instanceof Deno.errors.NotCapable || /^Module not found/.test(error.message) ? "may not" : error.message);
  }
}
`;

const RIGHTS: Record<ProgramName, string[]> = {
  server: [
    "run may not",
    "ffi may not",
    "home may not",
    "setting may",
    "addresses may",
    "sys may not",
  ],
  agent: ["run may", "ffi may not", "home may", "setting may", "addresses may not", "sys may not"],
};

for (const program of ["server", "agent"] as const) {
  Deno.test(`the compiled ${program} may do what is written down and no more, whatever it is started with`, async () => {
    await withFolder(async (folder) => {
      const bundled = join(folder, "bundled");
      await Deno.mkdir(bundled);
      await Deno.writeTextFile(join(bundled, "main.js"), PROBE);
      const path = join(folder, "probe");
      await compileProgram({ program, target: NATIVE, bundled, path });
      const { stdout } = await run(path, ["-A", "--allow-all"], { stdin: "null" });
      assert.deepEqual(stdout.trimEnd().split("\n"), [...RIGHTS[program], "import may not"]);
    });
  });
}

const QEMU = "/usr/bin/qemu-aarch64-static";
const ARM_LIBRARIES = "/usr/aarch64-linux-gnu";

const missingArm = firstOf(await missingFile(QEMU), await missingFile(ARM_LIBRARIES));
testUnless(missingArm, "the agent for arm64 starts and says its version", async () => {
  await withFolder(async (folder) => {
    await build("linux-arm64", folder);
    const agent = join(folder, "restic-manager-agent-linux-arm64");
    const { stdout, stderr } = await run(QEMU, ["-L", ARM_LIBRARIES, agent, "version"]);
    assert.match(stdout, new RegExp(`^restic-manager-agent ${VERSION} \\(`), stderr);
  });
});
