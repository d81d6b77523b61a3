/// <reference lib="dom" />
// All pages with invented data, to look at: `deno run -A tests/templates/gallery.tsx` serves them on port 8090,
// `… --shots DIR [part of a name]` takes pictures at two widths and in both themes and reports what is wrong.
import axe from "axe-core";
import { chromium, type Page } from "playwright-core";
import { assets } from "../../templates/assets/assets.ts";
import { pages, render } from "./invented.tsx";

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

export function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  const asset = pathname.startsWith("/assets/") && assets.get(pathname.split("/")[3] ?? "");
  if (asset) return new Response(asset.content, { headers: { "content-type": asset.type } });
  if (pathname.startsWith("/live/")) {
    return new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
  }
  const name = pathname.slice(1);
  const theme = new URL(request.url).searchParams.get("theme") ?? "auto";
  const html = Object.hasOwn(pages, name)
    ? render(name).replace('data-theme="auto"', `data-theme="${theme}"`)
    : `<!doctype html><title>Gallery</title><ul>${
      Object.keys(pages).map((page) => `<li><a href="/${page}">${page}</a>`).join("")
    }</ul>`;
  return new Response(html, {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": CSP },
  });
}

async function problemsOf(page: Page): Promise<string[]> {
  const problems = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
    return wide ? [`scrolls sideways: ${document.documentElement.scrollWidth}`] : [];
  });
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const result = await (globalThis as any).axe.run();
    // deno-lint-ignore no-explicit-any
    return result.violations.map((v: any) =>
      `${v.impact} ${v.id}: ${v.nodes[0].html.slice(0, 160)} ×${v.nodes.length} ${
        v.nodes[0].any[0]?.message ?? ""
      }`
    );
  });
  return [...problems, ...found];
}

async function shots(folder: string, part: string) {
  await Deno.mkdir(folder, { recursive: true });
  const server = Deno.serve({ port: 0, onListen: () => {} }, answer);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
    ],
  });
  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    for (const theme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height } });
      for (const name of Object.keys(pages).filter((one) => one.includes(part))) {
        const said: string[] = [];
        page.removeAllListeners();
        page.on("console", (message) => message.type() === "error" && said.push(message.text()));
        page.on("pageerror", (error) => said.push(String(error)));
        await page.goto(`http://localhost:${server.addr.port}/${name}?theme=${theme}`, {
          waitUntil: "load",
        });
        await page.evaluate(() => document.fonts.ready.then(() => null));
        await page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png`, fullPage: true });
        for (const problem of [...said, ...await problemsOf(page)]) {
          console.log(`${name} ${width} ${theme}: ${problem}`);
        }
      }
      await page.close();
    }
  }
  await browser.close();
  await server.shutdown();
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--shots");
  if (at >= 0) await shots(Deno.args[at + 1] ?? "shots", Deno.args[at + 2] ?? "");
  else Deno.serve({ port: 8090, hostname: "127.0.0.1" }, answer);
}
