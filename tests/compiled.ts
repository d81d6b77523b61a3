// `deno task test:compiled`: the flows again, with the compiled programs in place of the source.
import { fileURLToPath } from "node:url";
import { buildForTests } from "./support/compiled.ts";

const tests = Deno.args.length > 0 ? Deno.args : [
  "tests/flows",
  "tests/server/main_test.ts",
  "tests/agent/main_test.ts",
  "tests/browser/walk_test.ts",
];
const programs = await buildForTests();
try {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...tests],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { RM_TEST_PROGRAMS: programs },
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(programs, { recursive: true });
}
