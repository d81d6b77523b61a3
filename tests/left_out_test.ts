// What is left out is said: to the runner, at the end of the run, and to .ci/run, which then does not pass.
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingNamespace } from "./support/left_out.ts";
import { testFolder } from "./support/start_agent.ts";

const TESTS = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(TESTS, "..");

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: decode(stdout) + decode(stderr) };
}

Deno.test("a test without what it needs is ignored with its reason, and the end of the run names it, each once", async () => {
  using folder = testFolder();
  const helper = JSON.stringify(join(TESTS, "support/left_out.ts"));
  for (const name of ["one", "two"]) {
    Deno.writeTextFileSync(
      join(folder.path, `${name}_test.ts`),
      `import { leaveOut, missingProgram, testUnless } from ${helper};
      testUnless(await missingProgram("no-such-program"), "it works (${name})", () => { throw 1; });
      testUnless(await missingProgram("sh"), "it runs", () => {});
      leaveOut("all rows with restic 9", "restic 9 is not prepared");`,
    );
  }
  const { code, said } = await run(Deno.execPath(), ["run", "-A", "tests/run.ts", folder.path]);
  assert.equal(code, 0, said);
  assert.match(
    said,
    /^it works \(one\) \[left out: no-such-program is not on PATH\] \.\.\. ignored/m,
  );
  assert.match(said, /ok \| 2 passed \| 0 failed \| 4 ignored/);
  const named = said.slice(said.indexOf("ok | 2 passed")).split("\n").filter((line) =>
    line.startsWith("»")
  );
  assert.deepEqual(named, [
    "» left out: it works (one): no-such-program is not on PATH",
    "» left out: all rows with restic 9: restic 9 is not prepared",
    "» left out: it works (two): no-such-program is not on PATH",
  ]);
});

Deno.test(".ci/run does not pass when something was left out that is not on its list", async () => {
  using folder = testFolder();
  const log = join(folder.path, "log");
  const leftOut = async (text: string) => {
    Deno.writeTextFileSync(log, `x ... ignored (0ms)\nok | 7 passed | 0 failed\n${text}`);
    return await run("bash", ["-c", '. .ci/run; left_out "$1"', "bash", log]);
  };
  const allowed = "» left out: Windows: it installs: no Windows: /x/bin/wine is not there\n";
  assert.deepEqual(await leftOut(""), { code: 1, said: "" });
  assert.deepEqual(await leftOut(allowed), { code: 1, said: "" });
  assert.deepEqual(await leftOut(`${allowed}» left out: by token: curl is not on PATH\n`), {
    code: 0,
    said: "by token: curl is not on PATH\n",
  });
});

Deno.test("the reason that a namespace cannot be made is the one that the system gives", () => {
  if (Deno.uid() !== 0) return assert.match(missingNamespace([], "true")!, /needs root/);
  assert.equal(missingNamespace(["--mount"], "mount -t tmpfs none /mnt"), undefined);
  assert.match(
    missingNamespace(["--mount"], "mount -t tmpfs none /no/such/folder")!,
    /\/no\/such\/folder/,
  );
});

Deno.test("no test leaves itself out in another way", async () => {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory) await walk(path);
      else if (/\.tsx?$/.test(name) && !/left_out/.test(name)) {
        const text = await Deno.readTextFile(path);
        // A test's own option, a word on the console, a sanitised return.
        if (/\bignore:|\.ignore\(|console\.\w+\([^)]*left out|return console\./.test(text)) {
          found.push(path.slice(TESTS.length));
        }
      }
    }
  };
  await walk(TESTS);
  assert.deepEqual(found, []);
});

Deno.test("the tests that took longest are named at the end, the slowest first", async () => {
  using folder = testFolder();
  Deno.writeTextFileSync(
    join(folder.path, "waits_test.ts"),
    `for (let n = 0; n < 12; n++) {
      Deno.test("waits " + n + ' & "more" <of it>', () => new Promise((done) => setTimeout(done, n * 30)));
    }`,
  );
  const { code, said } = await run(Deno.execPath(), ["run", "-A", "tests/run.ts", folder.path]);
  assert.equal(code, 0, said);
  const named = said.split("\n").filter((line) => line.startsWith("slow: "));
  assert.equal(named.length, 10);
  assert.match(named[0]!, /^slow: 0\.[3-9] s +waits 11 & "more" <of it> \(.*waits_test\.ts\)$/);
  const seconds = named.map((line) => Number(/\d+\.\d/.exec(line)![0]));
  assert.deepEqual(seconds, [...seconds].sort((a, b) => b - a));
});
