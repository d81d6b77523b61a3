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
function counted<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return function (this: unknown, ...args: A) {
    if (++calls === killAt) Deno.kill(Deno.pid, "SIGKILL");
    const result = call.apply(this, args);
    if (++calls === killAt) Deno.kill(Deno.pid, "SIGKILL");
    return result;
  };
}
DatabaseSync.prototype.exec = counted(DatabaseSync.prototype.exec);
StatementSync.prototype.run = counted(StatementSync.prototype.run);
StatementSync.prototype.all = counted(StatementSync.prototype.all);
const { close } = await openDatabase(folder!);
await close();
console.log(calls);
