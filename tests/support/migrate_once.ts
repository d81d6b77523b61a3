// A process of its own that only migrates the database in the folder of its first argument, up to the number in its second. With
// RM_TEST_KILL_AT=n it kills itself in the n-th of the calls to the database that the migration makes; without, it prints how
// many there were.
import { DatabaseSync, StatementSync } from "node:sqlite";
import { openDatabase } from "../../server/database/open.ts";
import { MIGRATIONS } from "../../server/database/migrations/all.ts";

const [folder, newest] = Deno.args;
const killAt = Number(Deno.env.get("RM_TEST_KILL_AT") ?? Infinity);
for (const name of Object.keys(MIGRATIONS)) {
  if (Number(name.slice(0, 4)) > Number(newest)) delete MIGRATIONS[name];
}
let calls = 0;
/** Before or after the call, by turns: both sides of a commit are moments. */
function countCalls(prototype: object, name: string): void {
  const call = Reflect.get(prototype, name) as (...values: unknown[]) => unknown;
  Reflect.set(prototype, name, function (this: unknown, ...values: unknown[]) {
    if (++calls === killAt) Deno.kill(Deno.pid, "SIGKILL");
    const result = Reflect.apply(call, this, values);
    if (++calls === killAt) Deno.kill(Deno.pid, "SIGKILL");
    return result;
  });
}
countCalls(DatabaseSync.prototype, "exec");
countCalls(StatementSync.prototype, "run");
countCalls(StatementSync.prototype, "all");
const { close } = await openDatabase(folder!);
await close();
console.log(calls);
