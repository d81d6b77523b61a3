// Makes the picture of the README, docs/dashboard.png, from an invented fleet: `deno run -A tests/browser/picture.ts`.
import { fileURLToPath } from "node:url";
import { TestBrowser } from "../support/browser.ts";
import { smallFleet } from "../support/small_fleet.ts";
import { startServer } from "../support/start_server.ts";

const FILE = fileURLToPath(new URL("../../docs/dashboard.png", import.meta.url));
const WIDTH = 1440;
const MARGIN = 32;

await using server = await startServer();
await using _fleet = await smallFleet(server);
const browser = await TestBrowser.launch();
const page = await browser.logIn(server.url, "alice", { size: { width: WIDTH, height: 900 } });
await page.getByText("62 %").waitFor();
await page.evaluate(() => document.fonts.ready.then(() => null));
const last = await page.locator("table.hosts").boundingBox();
const height = Math.ceil(last!.y + last!.height + MARGIN);
await page.setViewportSize({ width: WIDTH, height });
await page.screenshot({ path: FILE });
browser.assertQuiet();
await browser.close();
console.log(`${FILE}: ${WIDTH} × ${height}, ${(await Deno.stat(FILE)).size} bytes`);
