// The files behind every page: each is served, each is checked, and nothing is in them that no page uses.
import assert from "node:assert/strict";
import { basename } from "node:path";
import { DOMParser } from "linkedom";
import { assets } from "../../templates/assets/assets.ts";
import { scripts } from "../../templates/assets/scripts.ts";
import { styleSheet } from "../../templates/assets/styles.ts";
import { pages, render } from "./invented.tsx";

const FOLDER = new URL("../../templates/assets/", import.meta.url);
const LAYERS = ["base", "parts", "frame", "pages"];

async function filesIn(folder: string): Promise<[name: string, text: string][]> {
  const found: [string, string][] = [];
  for await (const { name } of Deno.readDir(new URL(folder, FOLDER))) {
    found.push([name, await Deno.readTextFile(new URL(folder + name, FOLDER))]);
  }
  return found;
}

const withoutComments = (css: string) => css.replace(/\/\*[^]*?\*\//g, "");

Deno.test("the style sheet holds each file of a layer's folder once, in that layer, and nothing outside a layer", async () => {
  const folders = await Array.fromAsync(Deno.readDir(new URL("css/", FOLDER)), ({ name }) => name);
  assert.deepEqual(folders.sort(), LAYERS.toSorted());
  let rest = styleSheet();
  const order = `@layer ${LAYERS.join(", ")};\n`;
  assert.ok(rest.startsWith(order));
  rest = rest.slice(order.length);
  for (const layer of LAYERS) {
    const begin = `@layer ${layer} {\n`;
    assert.ok(rest.startsWith(begin), rest.slice(0, 80));
    rest = rest.slice(begin.length);
    const files = await filesIn(`css/${layer}/`);
    while (!rest.startsWith("}\n")) {
      const at = files.findIndex(([, text]) => rest.startsWith(text));
      assert.ok(at >= 0, `no file of ${layer} begins with ${rest.slice(0, 80)}`);
      const [[name, text]] = files.splice(at, 1) as [[string, string]];
      assert.ok(!text.includes("@layer"), `${name} names a layer itself`);
      assert.ok(text.split("\n").length <= 151, `${name} is too long`);
      rest = rest.slice(text.length);
    }
    assert.deepEqual(files.map(([name]) => `${layer}/${name}`), [], "left out");
    rest = rest.slice(2);
  }
  assert.equal(rest, "");
});

Deno.test("every module is type-checked, is served under its own name, and imports only what stands beside it", async () => {
  const files = await filesIn("js/");
  assert.deepEqual(files.map(([name]) => name).sort(), Object.keys(scripts).sort());
  for (const [name, text] of files) {
    assert.ok(text.startsWith("// @ts-check\n"), `${name} is not type-checked`);
    assert.ok(text.split("\n").length <= 160, `${name} is too long`);
    const served = assets.get(name);
    assert.equal(served?.type, "text/javascript; charset=utf-8");
    assert.equal(new TextDecoder().decode(served?.content), text);
    for (const [, path] of text.matchAll(/\bfrom "([^"]+)"|\bimport\(/g)) {
      assert.equal(path, `./${basename(path ?? "")}`, `${name} imports from elsewhere`);
      assert.ok(assets.has(path!.slice(2)), `${name} imports ${path}, which is not served`);
    }
  }
});

Deno.test("every function that a module exports is imported by another module, and every module by the first", () => {
  const all = Object.values(scripts).join("\n");
  const imported = [...all.matchAll(/^import \{([^}]+)\} from "\.\/([^"]+)"/gm)];
  const names = new Set(imported.flatMap(([, list]) => list!.split(",").map((one) => one.trim())));
  for (const [, name] of all.matchAll(/^export (?:async )?(?:function|const) (\w+)/gm)) {
    // The test of templates/format.ts compares it with the server's.
    if (name !== "relative") assert.ok(names.has(name!), `nothing imports ${name}`);
  }
  const reached = new Set(["app.js"]);
  for (const name of reached) {
    for (const [, path] of scripts[name]!.matchAll(/ from "\.\/([^"]+)"/g)) reached.add(path!);
  }
  assert.deepEqual([...reached].sort(), Object.keys(scripts).sort());
});

/** What only a script, a stream or a choice of the reader makes, and by which file. */
const MADE_LATER: Record<string, string> = {
  '[data-theme="light"]': "layout.tsx, by the reader's choice",
  '[data-theme="dark"]': "layout.tsx, by the reader's choice",
  ".changed > td": "js/fragments.js",
  ".changed.vitals": "js/fragments.js",
  ".line.miss": "js/log_filter.js",
  "#accept-place > .accept": "htmx, from pending/list.tsx",
};

/** A pseudo-class or pseudo-element stands for a moment or a piece of an element that must itself be there. */
const MOMENT =
  /::?(?:before|after|backdrop|-webkit-[\w-]+|-moz-[\w-]+|hover|active|focus-visible|focus|target|checked)\b|\[open\]/g;

function selectorsOf(css: string): string[] {
  const blocks = withoutComments(css).matchAll(/(?:^|[{};])\s*([^{}@;]+)\{/g);
  const all = [...blocks].flatMap(([, list]) =>
    list!.split(/,(?![^(]*\))/).map((one) => one.trim())
  );
  return [...new Set(all)].filter((one) => one !== "from" && one !== "to");
}

Deno.test("every rule of the style sheet has an element on some page", () => {
  const documents = Object.keys(pages).map((name) => {
    const document = new DOMParser().parseFromString(render(name), "text/html");
    document.documentElement.classList.add("scripts");
    return document;
  });
  const unused = selectorsOf(styleSheet()).filter((selector) => {
    const lasting = selector.replace(MOMENT, "").replace(/([>+~])\s*$/, "$1 *").trim() || "*";
    return !documents.some((document) => document.querySelector(lasting));
  });
  assert.deepEqual(unused.sort(), Object.keys(MADE_LATER).sort());
});

Deno.test("every variable of the style sheet is used, and every one that is used is there", () => {
  const css = withoutComments(styleSheet());
  const made = new Set([...css.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  const used = new Set([...css.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name));
  assert.deepEqual([...used].sort(), [...made].sort());
});
