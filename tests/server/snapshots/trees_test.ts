// Listings in memory: read once for all, in turns, bounded by bytes and age.
import assert from "node:assert/strict";
import { TreeListing } from "../../../server/snapshots/tree_listing.ts";
import { type TreeKey, Trees } from "../../../server/snapshots/trees.ts";

const key = (path: string, readerId = "alpha", repositoryId = "r"): TreeKey => ({
  repositoryId,
  snapshot: "s",
  path,
  readerId,
});

function listing(entries: number): TreeListing {
  const made = new TreeListing([]);
  for (let n = 0; n < entries; n++) made.add(["file", `${n}`, 1, 1, 0, 0, 0]);
  return made;
}

/** Reads that the test ends. */
function reads() {
  const begun: {
    signal: AbortSignal;
    end: (listing: TreeListing) => void;
    fail: (error: Error) => void;
  }[] = [];
  const read = (signal: AbortSignal) =>
    new Promise<TreeListing>((end, fail) => {
      begun.push({ signal, end, fail });
      signal.addEventListener("abort", () => fail(new Error("aborted")));
    });
  return { begun, read };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("all who wait share one reading, which one who leaves does not end, and the last one does", async () => {
  const trees = new Trees<TreeListing>(() => 0);
  const { begun, read } = reads();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = trees.load(key("/"), read, one.signal);
  const second = trees.load(key("/"), read, two.signal);
  await turn();
  assert.equal(begun.length, 1);
  one.abort();
  await assert.rejects(first);
  assert.equal(begun[0]!.signal.aborted, false);
  begun[0]!.end(listing(3));
  assert.equal((await second).count, 3);
  assert.equal((await trees.load(key("/"), read)).count, 3);
  assert.equal(begun.length, 1);
  const third = trees.load(key("/x"), read, two.signal);
  await turn();
  two.abort();
  await assert.rejects(third);
  assert.equal(begun[1]!.signal.aborted, true);
  await turn();
  assert.equal(trees.isLoading(key("/x")), false);
  assert.equal(trees.takeFailure(key("/x")), undefined);
});

Deno.test("an agent reads one at a time, three read at once, and a crowd is refused", async () => {
  const trees = new Trees<TreeListing>(() => 0);
  const { begun, read } = reads();
  const all: Promise<unknown>[] = [];
  for (let n = 0; n < 35; n++) {
    all.push(trees.load(key(`/${n}`, `host ${n % 5}`), read));
  }
  await assert.rejects(trees.load(key("/more"), read), { code: "too_many" });
  await turn();
  assert.equal(begun.length, 3);
  for (let n = 0; n < 35; n++) {
    begun[n]!.end(listing(1));
    await turn();
  }
  await Promise.all(all);
  const same = [1, 2].map((n) => trees.load(key(`/again ${n}`), read));
  await turn();
  assert.equal(begun.length, 36);
  begun[35]!.fail(new Error("broken"));
  await assert.rejects(same[0]!, /broken/);
  assert.match(String(trees.takeFailure(key("/again 1"))), /broken/);
  assert.equal(trees.takeFailure(key("/again 1")), undefined);
  await turn();
  begun[36]!.end(listing(1));
  await same[1];
});

Deno.test("what is kept goes by bytes, by age and with its repository; the newest stays however large", async () => {
  let now = 0;
  const trees = new Trees<TreeListing>(() => now);
  const keep = (path: string, entries: number, repository = "r") =>
    trees.load(key(path, "alpha", repository), () => Promise.resolve(listing(entries)));
  await keep("/old", 50_000);
  await keep("/used", 50_000);
  trees.get(key("/old"));
  await keep("/large", 70_000);
  assert.equal(trees.get(key("/used")), undefined);
  assert.ok(trees.get(key("/old")));
  await keep("/huge", 200_000);
  assert.equal(trees.get(key("/old")), undefined);
  assert.equal(trees.get(key("/huge"))?.count, 200_000);
  await keep("/small", 1, "other");
  now = 16 * 60_000;
  assert.equal(trees.get(key("/small", "alpha", "other")), undefined);
  await keep("/small", 1, "other");
  trees.forget("other");
  assert.equal(trees.get(key("/small", "alpha", "other")), undefined);
});
