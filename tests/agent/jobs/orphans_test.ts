import assert from "node:assert/strict";
import { untilDead } from "../../../agent/jobs/orphans.ts";
import { eventually } from "../../support/eventually.ts";

const mark = (pid: number) => ({ pid, path: "restic", verb: "prune" });

Deno.test("a process is waited for until it is dead, and no longer than anybody waits", async () => {
  const child = new Deno.Command("/bin/sleep", { args: ["60"] }).spawn();
  let isDead = false;
  const waited = untilDead(mark(child.pid), () => false).then((dead) => isDead = dead);
  assert.equal(await untilDead(mark(child.pid), () => true), false);
  assert.equal(isDead, false);
  child.kill("SIGKILL");
  await child.status;
  assert.equal(await waited, true);
});

Deno.test("a dead process that nobody has taken note of works no more", async () => {
  // The inner one ends at once and is never waited for by what its parent becomes.
  const args = ["-c", "sleep 0.05 & echo $!; exec sleep 60"];
  const child = new Deno.Command("/bin/sh", { args, stdout: "piped" }).spawn();
  try {
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const pid = Number(new TextDecoder().decode(value).trim());
    reader.releaseLock();
    await eventually("a zombie", async () => {
      const stat = new TextDecoder().decode(
        (await new Deno.Command("/bin/cat", { args: [`/proc/${pid}/stat`] }).output()).stdout,
      );
      return /\) Z /.test(stat);
    });
    assert.equal(await untilDead(mark(pid), () => false), true);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await child.stdout.cancel();
  }
});
