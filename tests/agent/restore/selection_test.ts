// Exactly the chosen items, on random trees with hostile names: what is restored is what was chosen, with the folders above it and nothing
// else, and in place nothing but the chosen is touched.
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { textOf, writeSnapshotPath } from "../../../shared/snapshot_path.ts";
import { restics } from "../../support/restic.ts";
import { saved, sh } from "../../support/restoring.ts";

const RUNS = 4;
const SEED = Number(Deno.env.get("RM_SEED") ?? Math.floor(Math.random() * 2 ** 31));

/** As one character for each byte. */
const PIECES = [
  "a",
  "b",
  "*",
  "?",
  "[",
  "]",
  "[ab]",
  "\\",
  "\n",
  " ",
  "-",
  "$HOME",
  "'",
  '"',
  "#",
  "!",
  "{",
  "}",
  "..",
  "\xff",
  "\xc3\xa9",
  "\xe9",
  "~",
];
const name = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join("")).filter((text) => text !== "." && text !== "..");
/** Files, by their names on the way; what is a folder of one cannot be another file. */
const tree = fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 3 }), {
  minLength: 4,
  maxLength: 14,
  selector: (names) => names.join("/"),
}).map((files) =>
  files.filter((file) =>
    !files.some((other) => other !== file && other.join("/").startsWith(`${file.join("/")}/`))
  )
);

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const isText = (path: string) => textOf(bytesOf(path)) !== undefined;
const octal = (text: string) =>
  Array.from(text, (letter) => `\\0${letter.charCodeAt(0).toString(8).padStart(3, "0")}`).join("");

/** Makes each file with its own path as its content. */
function make(folder: string, files: string[][]): void {
  const lines = files.map((file) =>
    `put '${octal(file.slice(0, -1).join("/"))}' '${octal(file.join("/"))}'`
  );
  sh(
    `cd "$1"; put() { d=$(printf "%b." "$1"); f=$(printf "%b." "$2"); d=./\${d%.}; f=./\${f%.}; mkdir -p "$d"; printf "%b" "$2" > "$f"; }
${lines.join("\n")}`,
    folder,
  );
}

function found(folder: string): string[] {
  return sh(`cd "$1" 2>/dev/null && find . -mindepth 1 -printf '%P\\0' || true`, folder).split("\0")
    .filter(Boolean).sort();
}

/** The chosen ones of all entries, with what lies in them. */
function closure(all: string[], chosen: string[]): string[] {
  return all.filter((path) => chosen.some((each) => path === each || path.startsWith(`${each}/`)));
}

function above(paths: string[]): string[] {
  return paths.flatMap((path) =>
    path.split("/").slice(0, -1).map((_, n, names) => names.slice(0, n + 1).join("/"))
  );
}

for (const restic of restics) {
  Deno.test(`any selection of any tree is restored exactly (restic ${restic.version}, RM_SEED=${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.infiniteStream(fc.nat()), async (files, numbers) => {
        await using world = await saved(restic, (source) => {
          Deno.removeSync(join(source, "a file"));
          make(source, files);
        });
        const { source } = world.all;
        const all = found(source);
        const chosen = [
          ...new Set(Array.from({ length: 3 }, () => all[numbers.next().value! % all.length]!)),
        ];
        const prefix = source.split("/").filter(Boolean).map(bytesOf);
        const items = chosen.map((path) =>
          writeSnapshotPath([...prefix, ...path.split("/").map(bytesOf)])
        );
        const end = await world.restore(items);
        assert.equal(end.status, "succeeded", `${JSON.stringify(chosen)} ${end.reason}`);
        const wanted = closure(all, chosen);
        assert.deepEqual(
          found(join(world.target, source)),
          [...new Set([...wanted, ...above(wanted)])].sort(),
        );
        assert.equal(end.restored?.entries, wanted.length);
        if (restic.version.startsWith("0.14")) return;
        // In place: all files are changed, and only the chosen are as they were again.
        sh(
          `cd "$1"; find . -type f -exec sh -c 'for each; do printf changed > "$each"; done' sh {} +`,
          source,
        );
        const back = await world.restore(items, { kind: "original" });
        // Deno cannot look into a folder whose name is no text: it is said, and nothing is written.
        const outer = chosen.filter((path) => !chosen.some((each) => path.startsWith(`${each}/`)));
        const mayBe = outer.every((path) => isText(path.split("/").slice(0, -1).join("/")));
        const wants = mayBe ? "succeeded" : "failed";
        assert.equal(back.status, wants, `${JSON.stringify(chosen)} ${back.reason}`);
        if (!mayBe) assert.match(back.reason ?? "", /^Nothing was written:.*no text/s);
        assert.deepEqual(found(source), all);
        const untouched = sh(
          `cd "$1"; find . -type f -exec grep -lx changed --null {} + || true`,
          source,
        )
          .split("\0").filter(Boolean).map((path) => path.slice(2)).sort();
        const texts = files.map((file) => file.join("/"));
        assert.deepEqual(
          untouched,
          texts.filter((path) => !mayBe || !wanted.includes(path)).sort(),
        );
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
  });
}
