// Output that is pulled: a process stands still while nobody reads, and ends when it is told to, read or not.
import assert from "node:assert/strict";
import { ManagedProcess } from "../../agent/process.ts";
import { eventually } from "../support/eventually.ts";

const MIB = 1024 * 1024;

function shell(text: string, onOut: "pull" | ((chunk: Uint8Array) => void) = "pull") {
  return new ManagedProcess({
    path: "/bin/sh",
    args: ["-c", text],
    environment: { PATH: "/usr/bin:/bin" },
    onOut,
    onError: () => {},
  });
}

/** How many bytes a process has written so far (proc(5)). */
function written(pid: number): number {
  return Number(/^wchar: (\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/io`))?.[1]);
}

Deno.test("what is pulled comes whole, after the end of the process too", async () => {
  const process = shell("head -c 5000000 /dev/zero; echo end");
  let bytes = 0;
  let last = "";
  for await (const piece of process.out) {
    bytes += piece.length;
    last = new TextDecoder().decode(piece).slice(-4);
  }
  assert.deepEqual([bytes, last], [5_000_004, "end\n"]);
  assert.equal((await process.exit).code, 0);
  const short = shell("echo short");
  assert.equal((await short.exit).code, 0);
  let text = "";
  for await (const piece of short.out) text += new TextDecoder().decode(piece);
  assert.equal(text, "short\n");
});

Deno.test("a process whose output nobody reads stands still at a full pipe, and goes on with the reader", async () => {
  const process = shell("exec cat /dev/zero");
  const reader = process.out[Symbol.asyncIterator]();
  await reader.next();
  let before = -1;
  await eventually("it stands still", () => {
    const now = written(process.pid);
    const isStill = now === before;
    before = now;
    return isStill;
  });
  assert.ok(before < MIB, `${before}`);
  for (let bytes = 0; bytes < 4 * MIB;) bytes += (await reader.next()).value!.length;
  assert.ok(written(process.pid) >= 4 * MIB);
  process.stop("cancelled", 100);
  assert.equal((await process.exit).stop, "cancelled");
  await reader.return!();
});

Deno.test("a stop ends what nobody reads, and the reader, also where a grandchild holds the pipe", async () => {
  // Out of its group, so that the end of the group leaves it.
  const process = shell("setsid sleep 20 & echo begun; wait");
  const reader = process.out[Symbol.asyncIterator]();
  await reader.next();
  const next = reader.next();
  process.stop("cancelled", 100);
  assert.equal((await process.exit).stop, "cancelled");
  assert.equal((await next).done, true);
  const unread = shell("cat /dev/zero");
  unread.stop("cancelled", 100);
  assert.equal((await unread.exit).stop, "cancelled");
});

Deno.test("a reader that leaves lets go of the pipe, so that the process ends by itself", async () => {
  const process = shell("exec cat /dev/zero");
  for await (const _ of process.out) break;
  assert.equal((await process.exit).signal, "SIGPIPE");
});

Deno.test("there is nothing to pull where the output goes to a function", async () => {
  let text = "";
  const process = shell("echo here", (chunk) => text += new TextDecoder().decode(chunk));
  assert.throws(() => process.out, /goes to onOut/);
  await process.exit;
  assert.equal(text, "here\n");
});
