// What the documents name is there: files, links, tasks.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname, join, normalize } from "node:path";
import config from "../deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["server", "agent", "shared", "templates", "deploy", "tests", "docs"];

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? [path, ...filesBelow(path)] : [path];
  });
}

const FILES = FOLDERS.flatMap((folder) => [folder, ...filesBelow(folder)]);
const DOCUMENTS = [
  ...[...Deno.readDirSync(ROOT)].map(({ name }) => name),
  ...FILES,
].filter((path) => path.endsWith(".md") && !path.startsWith("templates/assets/vendor"));
const read = (path: string) => Deno.readTextFileSync(join(ROOT, path));

/** Files that a text names, such as server/jobs/lease.ts, jobs/lease.ts or tests/run.ts. */
function namedFiles(text: string): string[] {
  return [...text.matchAll(/(?<![\w/.-])(?:[\w.-]+\/)*[\w-]+\.tsx?\b/g)].map(([name]) => name);
}

function isThere(name: string): boolean {
  return FILES.some((file) => file === name || file.endsWith(`/${name}`));
}

Deno.test("a file that is not there is seen", () => {
  assert.deepEqual(namedFiles("`server/jobs/lease.ts`, see own_addresses.ts and a.b/c.tsx."), [
    "server/jobs/lease.ts",
    "own_addresses.ts",
    "a.b/c.tsx",
  ]);
  assert.ok(isThere("jobs/lease.ts") && !isThere("jobs/leases.ts") && !isThere("ease.ts"));
});

for (const document of DOCUMENTS) {
  Deno.test(`what ${document} names and links is there`, () => {
    // The history names what was.
    const text = read(document);
    if (document !== "CHANGELOG.md") {
      const missing = namedFiles(text).filter((name) => !isThere(name));
      assert.deepEqual(missing, []);
    }
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const path = normalize(join(dirname(document), target));
      assert.ok(Deno.statSync(join(ROOT, path)), `${document}: ${target}`);
    }
    for (const [, task = ""] of text.matchAll(/\.\/dev ([a-z:]+)/g)) {
      assert.ok(task in config.tasks, `${document}: ./dev ${task}`);
    }
  });
}

Deno.test("ARCHITECTURE.md is one page, and each of its flows at most ten files, which it names whole", () => {
  const text = read("ARCHITECTURE.md");
  assert.ok(text.split("\n").length <= 130);
  const flows = text.split("## The flows")[1]!.split("## ")[0]!.split(/^\d+\. /m).slice(1);
  assert.equal(flows.length, 12);
  for (const flow of flows) {
    const files = namedFiles(flow);
    for (const file of files) assert.ok(FILES.includes(file), `${file} is not on the disk`);
    assert.ok(new Set(files).size <= 10, flow);
  }
});

Deno.test("every folder of the programs stands in ARCHITECTURE.md's tree", () => {
  const tree = read("ARCHITECTURE.md").split("```")[1]!;
  for (const program of ["server", "agent", "shared", "templates", "deploy"]) {
    for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, program))) {
      // A folder of pages is a page each.
      if (!isDirectory || (program === "templates" && name !== "parts")) continue;
      const isPart = program === "deploy" && name === "build";
      assert.ok(tree.includes(`${name}/`) || isPart, `${program}/${name}`);
    }
  }
});
