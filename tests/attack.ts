// `./dev attack [part of a file's name …]`: tries every promise of SECURITY.md on the real server and agent, and prints what was
// done, expected and seen. Ends with 1 when one did not hold.
//
// One file per promise (01_ to 11_) and per row of the list of attacks (s01_ to s66_). Rows that are shown with a promise, in its
// file: S13 (04_), S18 and S38 (09_), S25 (08_), S54 (11_); the two machines of S17 are in 03_. Not there yet, for what they
// attack does not exist: S26 and S27 (restore and downloads of snapshots), S43 and S44 (second factors), S48 and S49
// (notifications), S58 (settings or a database that are uploaded).
import { ATTACK_REPORT, type AttackResult } from "./support/attack.ts";
import { runTests } from "./run.ts";

const files: string[] = [];
for await (const { name } of Deno.readDir(new URL("attack", import.meta.url))) {
  if (Deno.args.length === 0 || Deno.args.some((part) => name.includes(part))) {
    if (name.endsWith("_test.ts")) files.push(`tests/attack/${name}`);
  }
}
if (files.length === 0) {
  console.error(`No attack has "${Deno.args.join('" or "')}" in its name.`);
  Deno.exit(2);
}

const file = await Deno.makeTempFile({ prefix: "rm-attack-" });
try {
  const code = await runTests([...files.sort(), "--reporter=dot"], { [ATTACK_REPORT]: file });
  const results = (await Deno.readTextFile(file)).split("\n").filter(Boolean)
    .map((row) => JSON.parse(row) as AttackResult);
  for (const { id, promise, done, expected, seen, held } of results) {
    console.log(`\n${held ? "held    " : "NOT HELD"}  ${id}: ${promise}`);
    console.log(`          done      ${done}\n          expected  ${expected}`);
    for (const text of seen) console.log(`          seen      ${text}`);
  }
  const held = results.filter((each) => each.held).length;
  console.log(`\n${held} of ${results.length} attacks were withstood.`);
  Deno.exit(code);
} finally {
  await Deno.remove(file).catch(() => {});
}
