// Archives in memory: what is written is what is read, by our reader, by tar and by unzip, at the limits of both formats too.
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { joinBytes } from "../../../agent/archive/bytes.ts";
import { type ArchiveEntry, memberPath, timeOf } from "../../../agent/archive/entry.ts";
import { readTar, tarEnd, withoutEnd } from "../../../agent/archive/tar.ts";
import { paddingOf, tarHeader } from "../../../agent/archive/tar_headers.ts";
import { ZIP_DIRECTORY_LIMIT, ZipTooLarge, ZipWriter } from "../../../agent/archive/zip.ts";
import { testFolder } from "../../support/start_agent.ts";

const encoder = new TextEncoder();

const entry = (path: Uint8Array | string, more: Partial<ArchiveEntry> = {}): ArchiveEntry => ({
  type: "file",
  path: typeof path === "string" ? encoder.encode(path) : path,
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  seconds: 1_700_000_000,
  fraction: "",
  target: new Uint8Array(),
  ...more,
});

function tarOf(entries: { entry: ArchiveEntry; bytes: Uint8Array }[]): Uint8Array {
  return joinBytes([
    ...entries.flatMap(({ entry, bytes }) => [
      tarHeader(entry),
      bytes,
      new Uint8Array(paddingOf(bytes.length)),
    ]),
    tarEnd(),
  ]);
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    // As of restic's output: a piece's memory is used for the next.
    const piece = bytes.slice(at, at + size);
    yield piece;
    piece.fill(0xaa);
  }
}

async function members(tar: AsyncIterable<Uint8Array>) {
  const found: { entry: ArchiveEntry; bytes: Uint8Array }[] = [];
  for await (const part of readTar(tar)) {
    if ("entry" in part) found.push({ entry: part.entry, bytes: new Uint8Array() });
    else found.at(-1)!.bytes = joinBytes([found.at(-1)!.bytes, part.bytes]);
  }
  return found;
}

const name = fc.uint8Array({ minLength: 1, maxLength: 150 })
  .map((bytes) => bytes.map((byte) => byte === 0 || byte === 0x2f ? 0x2a : byte));
const someEntry = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 3 }).map(memberPath),
  bytes: fc.uint8Array({ maxLength: 2000 }),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 0xffff_ffff }),
  gid: fc.integer({ min: 0, max: 0xffff_ffff }),
  seconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
}).map(({ bytes, ...more }) => ({
  entry: entry(more.path, { ...more, size: bytes.length }),
  bytes,
}));

Deno.test("a tar of any names, owners and times is read as it was written, however it is cut, and loses nothing but its end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someEntry, { maxLength: 4 }),
      fc.integer({ min: 1, max: 3000 }),
      async (all, size) => {
        const tar = tarOf(all);
        const found = await members(cut(tar, size));
        assert.deepEqual(
          found.map((each) => ({ ...each.entry })),
          all.map((each) => ({ ...each.entry })),
        );
        assert.deepEqual(found.map(({ bytes }) => [...bytes]), all.map(({ bytes }) => [...bytes]));
        const parts: Uint8Array[] = [];
        for await (const part of withoutEnd(cut(tar, size))) parts.push(part.slice());
        assert.deepEqual(joinBytes(parts), tar.slice(0, -1024));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("a tar that is cut anywhere, or damaged in a header, is none", async () => {
  const bytes = encoder.encode("x".repeat(700));
  const tar = tarOf([{ entry: entry("ü".repeat(90), { size: 700, fraction: "5" }), bytes }]);
  for (let end = 0; end < tar.length; end += 256) {
    await assert.rejects(members(cut(tar.slice(0, end), 100)), /no end|damaged/, `${end}`);
    if (end < tar.length - 1024) continue;
  }
  for (const end of [0, 512, tar.length - 512, tar.length - 1024]) {
    await assert.rejects(async () => {
      for await (const _ of withoutEnd(cut(tar.slice(0, end), 100)));
    }, /no end/);
  }
  const damaged = tar.slice();
  damaged[3] = damaged[3]! ^ 1;
  await assert.rejects(members(cut(damaged, 512)), /damaged/);
});

Deno.test("times of restic keep their nanoseconds, also before 1970", () => {
  assert.deepEqual(timeOf("2026-01-02T03:04:05.120+01:00"), {
    seconds: Date.UTC(2026, 0, 2, 2, 4, 5) / 1000,
    fraction: "12",
  });
  assert.deepEqual(timeOf("1969-12-31T23:59:59.5Z"), { seconds: -1, fraction: "5" });
  assert.deepEqual(timeOf("nonsense"), { seconds: 0, fraction: "" });
  const header = new TextDecoder().decode(tarHeader(entry("x", { seconds: -1, fraction: "25" })));
  assert.match(header, / mtime=-0\.75\n/);
});

function zipOf(entries: { entry: ArchiveEntry; bytes: Uint8Array }[]): Uint8Array {
  const zip = new ZipWriter();
  const parts: Uint8Array[] = [];
  for (const { entry, bytes } of entries) {
    parts.push(zip.begin(entry), zip.add(bytes), zip.end());
  }
  return joinBytes([...parts, ...zip.finish()]);
}

/** Python reads zips by the letter, names that are no UTF-8 as cp437. */
async function readZip(path: string) {
  const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(json.dumps([[i.filename, i.flag_bits, i.file_size, i.external_attr, i.date_time, len(z.read(i))
        if i.file_size < 10**7 else -1] for i in z.infolist()]))`;
  const { code, stdout, stderr } = await new Deno.Command("python3", { args: ["-c", script, path] })
    .output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)) as [
    string,
    number,
    number,
    number,
    number[],
    number,
  ][];
}

Deno.test("a zip has names as bytes, modes, links and times, and unzip finds it whole", async () => {
  using folder = testFolder();
  const path = join(folder.path, "x.zip");
  const bytes = encoder.encode("hello");
  await Deno.writeFile(
    path,
    zipOf([
      { entry: entry("folder", { type: "folder", mode: 0o2755 }), bytes: new Uint8Array() },
      { entry: entry("folder/ü\\x\n", { size: 5, mode: 0o4711, seconds: 0 }), bytes },
      { entry: entry(Uint8Array.of(0x63, 0xe9), { size: 5, seconds: 1e12 }), bytes },
      {
        entry: entry("link", { type: "link", target: encoder.encode("/etc/passwd") }),
        bytes: new Uint8Array(),
      },
    ]),
  );
  const found = await readZip(path);
  assert.deepEqual(found.map(([name]) => name), ["folder/", "folder/ü\\x\n", "cΘ", "link"]);
  assert.deepEqual(found.map(([, flags]) => flags & 0x800), [0x800, 0x800, 0, 0x800]);
  assert.deepEqual(found.map(([, , , attributes]) => (attributes >>> 16).toString(8)), [
    "42755",
    "104711",
    "100644",
    "120644",
  ]);
  assert.deepEqual(found.map(([, , , , , length]) => length), [0, 5, 5, 11]);
  const { code } = await new Deno.Command("unzip", { args: ["-tqq", path] }).output();
  assert.equal(code, 0);
});

Deno.test("a zip beyond 4 GiB, and of more than 65,535 members, is read whole", async () => {
  using folder = testFolder();
  const path = join(folder.path, "x.zip");
  const file = await Deno.open(path, { write: true, create: true });
  const zip = new ZipWriter();
  let at = 0;
  const put = async (bytes: Uint8Array) => {
    // Zeros become a hole: 4 GiB need no disk.
    if (bytes.length === ZEROS.length) at += bytes.length;
    else {
      await file.seek(at, Deno.SeekMode.Start);
      at += await file.write(bytes);
    }
  };
  const ZEROS = new Uint8Array(16 * 1_048_576);
  const large = 2 ** 32 + ZEROS.length;
  await put(zip.begin(entry("large", { size: large })));
  for (let n = 0; n < large / ZEROS.length; n++) await put(zip.add(ZEROS));
  await put(zip.end());
  const small: Uint8Array[] = [];
  for (let n = 0; n < 66_000; n++) small.push(zip.begin(entry(`${n}`)), zip.end());
  await put(joinBytes(small));
  for (const bytes of zip.finish()) await put(bytes);
  file.close();
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    all = z.infolist()
    print(len(all), all[0].file_size, all[0].header_offset, all[-1].filename, z.open(all[-1]).read())`;
  const { code, stdout, stderr } = await new Deno.Command("python3", { args: ["-c", script, path] })
    .output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout).trim(), `66001 ${large} 0 65999 b''`);
});

Deno.test("a zip of more members than its directory may hold is refused, and its memory is bounded", () => {
  const zip = new ZipWriter();
  const long = entry("x".repeat(60_000));
  let count = 0;
  assert.throws(() => {
    for (;; count++) {
      zip.begin(long);
      zip.end();
    }
  }, ZipTooLarge);
  assert.ok(count * 60_000 <= ZIP_DIRECTORY_LIMIT && count > 100);
});
