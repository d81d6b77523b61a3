// Every page as it is: with nothing, a little and a lot in it, on a desk and on a phone, dark and light.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { PAGE_ROUTES } from "../../server/web/pages/routes.ts";
import { barriers, browserTest, DESK, overflow, PHONE } from "../support/browser.ts";
import { largeFleet } from "../support/large_fleet.ts";
import { smallFleet } from "../support/small_fleet.ts";
import { startServer } from "../support/start_server.ts";

const LARGEST = 60_000;

/** Opens the pages one after another and says what is wrong with any of them. */
async function look(
  page: Page,
  paths: Record<string, number> | string[],
  sizes = [DESK, PHONE],
  themes: ("light" | "dark")[] = ["light", "dark"],
): Promise<string[]> {
  const expected = Array.isArray(paths)
    ? paths.map((path) => [path, 200] as const)
    : Object.entries(paths);
  const problems: string[] = [];
  for (const [path, status] of expected) {
    for (const size of sizes) {
      await page.setViewportSize(size);
      const answer = await page.goto(path);
      const name = `${path} at ${size.width}`;
      if (answer!.status() !== status) problems.push(`${name}: ${answer!.status()}`);
      const bytes = (await answer!.body()).length;
      if (bytes > LARGEST) problems.push(`${name}: ${bytes} bytes`);
      const wider = await overflow(page);
      if (wider > 0) problems.push(`${name}: ${wider} pixels wider than its window`);
      for (const [index, colorScheme] of themes.entries()) {
        await page.emulateMedia({ colorScheme });
        // Of all that axe looks at, a theme changes the colours alone.
        for (const barrier of await barriers(page, index ? ["color-contrast"] : undefined)) {
          problems.push(`${name}, ${colorScheme}: ${barrier}`);
        }
      }
    }
  }
  return problems;
}

const ofHost = (id: string, groupId: string, scheduleId: string) => [
  `/hosts/${id}`,
  `/hosts/${id}/sources`,
  `/hosts/${id}/sources/new`,
  `/hosts/${id}/sources/${groupId}`,
  `/hosts/${id}/schedules`,
  `/hosts/${id}/schedules/new`,
  `/hosts/${id}/schedules/${scheduleId}`,
  `/hosts/${id}/repository`,
  `/hosts/${id}/jobs`,
  `/hosts/${id}/settings`,
];
const ofRepository = (id: string) => [`/repositories/${id}`, `/repositories/${id}/edit`];
const OF_NOBODY = ["/setup", "/login"];
const OF_FLEET = [
  "/",
  "/hosts/new",
  "/repositories",
  "/repositories/new",
  "/jobs",
  "/audit",
  "/account",
];

/** Answers of GET that are no pages: files, streams and fragments. */
const NO_PAGES = /^\/(assets|live)\/|^\/jobs\/:id\/lines$|^\/cron-preview$/;

Deno.test("no page is left out of what follows", () => {
  const looked = [
    ...OF_NOBODY,
    ...OF_FLEET,
    ...ofHost("x", "x", "x"),
    ...ofRepository("x"),
    "/jobs/x",
  ];
  const pages = PAGE_ROUTES.filter(({ method, path }) => method === "GET" && !NO_PAGES.test(path))
    .map(({ path }) => path);
  const fits = (path: string, given: string) =>
    new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`).test(given);
  const seen = new Set(looked.map((given) => pages.find((path) => fits(path, given))));
  assert.deepEqual(pages.filter((path) => !seen.has(path)), []);
});

browserTest(
  "pages with nothing in them are whole, and so are those of somebody who is not signed in",
  async (browser) => {
    await using server = await startServer();
    await using fresh = await startServer({ people: false });
    browser.allow(/status of 404/);
    const setup = await browser.open(fresh.url);
    const nobody = await browser.open(server.url);
    const alice = await browser.logIn(server.url, "alice");
    assert.deepEqual([
      ...await look(setup, [`/setup?token=${fresh.server.setup.token}`, "/login"]),
      ...await look(nobody, { "/setup?token=used": 404, "/login": 200, "/nothing": 404 }),
      ...await look(alice, OF_FLEET),
      ...await look(alice, { "/nothing": 404 }),
    ], []);
  },
);

browserTest("pages of a small fleet are whole for an admin", async (browser) => {
  await using server = await startServer();
  await using fleet = await smallFleet(server);
  const alice = await browser.logIn(server.url, "alice");
  const [first] = fleet.hosts;
  assert.deepEqual(
    await look(alice, [
      ...OF_FLEET,
      ...ofHost(first!.id, first!.groupId, fleet.schedules[0]!),
      "/?state=attention",
      "/?q=nothing-of-this-name",
      ...ofRepository(fleet.repositoryId),
      ...Object.values(fleet.jobs).map((id) => `/jobs/${id}`),
    ]),
    [],
  );
});

browserTest(
  "an operator and a viewer see whole pages, and a refusal is a page too",
  async (browser) => {
    await using server = await startServer();
    await using fleet = await smallFleet(server);
    browser.allow(/status of 403/);
    const [first] = fleet.hosts;
    const job = `/jobs/${fleet.jobs.running}`;
    const olive = await browser.logIn(server.url, "olive");
    const victor = await browser.logIn(server.url, "victor");
    assert.deepEqual([
      ...await look(olive, ["/", ...ofHost(first!.id, first!.groupId, fleet.schedules[0]!), job], [
        DESK,
      ], ["light"]),
      ...await look(olive, { "/audit": 403 }, [PHONE], ["dark"]),
      ...await look(victor, ["/", `/hosts/${first!.id}`, "/jobs", job, "/account"], [PHONE], [
        "dark",
      ]),
      ...await look(victor, { "/repositories": 403, "/hosts/new": 403 }, [DESK], ["light"]),
    ], []);
  },
);

browserTest(
  "pages of a thousand hosts with hostile names, 10,000 snapshots and 2,000 jobs are whole",
  async (browser) => {
    await using server = await startServer();
    await using fleet = await largeFleet(server);
    const alice = await browser.logIn(server.url, "alice");
    assert.deepEqual(
      await look(alice, [
        ...OF_FLEET,
        ...ofHost(fleet.host.id, fleet.host.groupId, fleet.scheduleId),
        "/?page=7",
        ...ofRepository(fleet.repositoryId),
        `/jobs?host=${fleet.host.id}`,
        `/jobs/${fleet.ended}`,
        `/jobs/${fleet.ended}?before=900`,
        `/jobs/${fleet.running}`,
      ]),
      [],
    );
  },
);
