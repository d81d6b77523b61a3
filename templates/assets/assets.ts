// Every style, script and font, inside the program. One hash over all of them is in their addresses, so that a
// browser may keep them for ever and the style sheet can name its fonts relatively.
import { createHash } from "node:crypto";
import iconSvg from "./icon.svg" with { type: "text" };
import htmxJs from "./vendor/htmx.min.js" with { type: "text" };
import interLatin from "./vendor/inter-latin.woff2" with { type: "bytes" };
import interLatinExt from "./vendor/inter-latin-ext.woff2" with { type: "bytes" };
import monoLatin from "./vendor/jetbrains-mono-latin.woff2" with { type: "bytes" };
import monoLatinExt from "./vendor/jetbrains-mono-latin-ext.woff2" with { type: "bytes" };
import { scripts } from "./scripts.ts";
import { styleSheet } from "./styles.ts";

export interface Asset {
  content: Uint8Array<ArrayBuffer>;
  type: string;
}

const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

const text = (content: string) => new TextEncoder().encode(content);
const bytes = (content: Uint8Array) => new Uint8Array(content);

export const assets: ReadonlyMap<string, Asset> = new Map([
  ["app.css", { content: text(styleSheet()), type: CSS }],
  ...Object.entries(scripts).map(([name, content]): [string, Asset] => [
    name,
    { content: text(content), type: SCRIPT },
  ]),
  ["htmx.min.js", { content: text(htmxJs), type: SCRIPT }],
  ["icon.svg", { content: text(iconSvg), type: "image/svg+xml" }],
  ["inter-latin.woff2", { content: bytes(interLatin), type: "font/woff2" }],
  ["inter-latin-ext.woff2", { content: bytes(interLatinExt), type: "font/woff2" }],
  ["jetbrains-mono-latin.woff2", { content: bytes(monoLatin), type: "font/woff2" }],
  ["jetbrains-mono-latin-ext.woff2", { content: bytes(monoLatinExt), type: "font/woff2" }],
]);

/** Changes when any asset does. An address with another hash is old: serve it, but not as immutable. */
export const assetsHash: string = hashOf(assets);

/** Where a page finds an asset: /assets/<hash>/<name>. */
export function assetUrl(name: string): string {
  if (!assets.has(name)) throw new RangeError(`no asset is called ${name}`);
  return `/assets/${assetsHash}/${name}`;
}

function hashOf(all: ReadonlyMap<string, Asset>): string {
  const hash = createHash("sha256");
  for (const [name, asset] of all) hash.update(name).update(asset.content);
  return hash.digest("hex").slice(0, 12);
}
