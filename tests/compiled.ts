// `deno task test:compiled`: the flows again, with the compiled programs in place of the source.
import { runTests } from "./run.ts";
import { buildForTests } from "./support/compiled.ts";

const tests = Deno.args.length > 0 ? Deno.args : [
  "tests/flows",
  "tests/server/main_test.ts",
  "tests/agent/main_test.ts",
  "tests/agent/by_hand/restore_test.ts",
  "tests/browser/walk_test.ts",
];
const programs = await buildForTests();
try {
  Deno.exitCode = await runTests(tests, { RM_TEST_PROGRAMS: programs });
} finally {
  await Deno.remove(programs, { recursive: true });
}
