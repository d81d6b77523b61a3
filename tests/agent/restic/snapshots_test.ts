import assert from "node:assert/strict";
import { inParts, readList } from "../../../agent/restic/snapshots.ts";
import { FRAME_LIMIT, type Snapshot, SNAPSHOTS_PER_PART } from "../../../shared/protocol.ts";

const ID = "0123456789abcdef".repeat(4);

Deno.test("a list of 0.14 and one of 0.18 are read", () => {
  const old = { id: ID, time: "2026-11-22T17:27:21.597913451Z", hostname: "h", username: "root" };
  const recent = {
    ...old,
    time: "2026-11-22T19:27:21.597+02:00",
    tags: ["g"],
    paths: ["/a"],
    parent: ID,
    summary: { total_files_processed: 3, total_bytes_processed: 4, data_added: 5 },
  };
  const [first, second] = readList(JSON.stringify([old, recent])) ?? [];
  assert.deepEqual(first?.tags, []);
  assert.equal(first?.files, null);
  assert.equal(first?.time, Date.UTC(2026, 10, 22, 17, 27, 21, 597));
  assert.equal(second?.time, first?.time);
  assert.deepEqual([second?.files, second?.bytes, second?.bytes_added], [3, 4, 5]);
  assert.equal(second?.parent, ID);
});

Deno.test("null is an empty list, and what is no list is none", () => {
  assert.deepEqual(readList("null"), []);
  for (const text of ["", "{}", "[{}]", "[1]", '[{"id":"x"}]', undefined]) {
    assert.equal(readList(text), undefined);
  }
});

function snapshot(paths: string[]): Snapshot {
  return {
    id: ID,
    time: 0,
    tags: [],
    paths,
    hostname: "h",
    username: null,
    parent: null,
    files: null,
    bytes: null,
    bytes_added: null,
  };
}

Deno.test("an empty list is one part", () => assert.deepEqual(inParts([]), [[]]));

Deno.test("parts hold every snapshot once and fit into frames", () => {
  const few = Array.from({ length: 1201 }, () => snapshot(["/a"]));
  assert.deepEqual(inParts(few).map((part) => part.length), [
    SNAPSHOTS_PER_PART,
    SNAPSHOTS_PER_PART,
    201,
  ]);
  const bulky = Array.from({ length: 100 }, () => snapshot(["/" + "ä".repeat(4000)]));
  const parts = inParts(bulky);
  assert.equal(parts.flat().length, 100);
  for (const part of parts) {
    assert.ok(new TextEncoder().encode(JSON.stringify(part)).length < FRAME_LIMIT * 0.6);
  }
});
