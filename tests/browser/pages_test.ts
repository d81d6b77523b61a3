// Every page as it is: with nothing, a little and a lot in it, on a desk and on a phone, dark and light.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { createDraft, DraftChoice } from "../../server/restores/drafts.ts";
import { PAGE_ROUTES } from "../../server/web/pages/routes.ts";
import { barriers, browserTest, DESK, overflow, PHONE } from "../support/browser.ts";
import { largeFleet } from "../support/large_fleet.ts";
import { smallFleet } from "../support/small_fleet.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const LARGEST = 60_000;

type Theme = "light" | "dark";
const SIZES = [DESK, PHONE];
const THEMES: Theme[] = ["light", "dark"];

/** Opens the pages one after another and says what is wrong with any of them. */
async function look(
  page: Page,
  paths: Record<string, number> | string[],
  sizes = SIZES,
  themes = THEMES,
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
      problems.push(...await lookAtOpen(page, name, themes));
    }
  }
  return problems;
}

/** What is wrong with the page as it stands there. */
async function lookAtOpen(page: Page, name: string, themes = THEMES): Promise<string[]> {
  const wider = await overflow(page);
  const problems = wider > 0 ? [`${name}: ${wider} pixels wider than its window`] : [];
  for (const [index, colorScheme] of themes.entries()) {
    await page.emulateMedia({ colorScheme });
    // Of all that axe looks at, a theme changes the colours alone.
    const rules = index ? ["color-contrast"] : undefined;
    for (const barrier of await barriers(page, rules)) {
      problems.push(`${name}, ${colorScheme}: ${barrier}`);
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
const ofRepository = (id: string) => [
  `/repositories/${id}`,
  `/repositories/${id}/edit`,
  `/repositories/${id}/snapshots`,
];
const ofSnapshot = (id: string) => [
  `/snapshots/${id}`,
  `/snapshots/${id}?path=/home`,
  `/snapshots/${id}/preview?path=/home/file`,
  `/snapshots/${id}/diff`,
];
const OF_NOBODY = ["/setup", "/login"];
const OF_FLEET = [
  "/",
  "/hosts/new",
  "/pending-hosts",
  "/repositories",
  "/repositories/new",
  "/jobs",
  "/audit",
  "/find",
  "/find?pattern=hosts",
  "/account",
];

async function newestSnapshot(server: TestServer, hostId: string): Promise<string> {
  const { body } = await server.api("alice", "GET", `/api/hosts/${hostId}/snapshots?limit=1`);
  return body.items[0].id;
}

/** The path of the page on which alice puts a restore together. */
async function beginRestore(test: TestServer, hostId: string): Promise<string> {
  const { body: host } = await test.api("alice", "GET", `/api/hosts/${hostId}`);
  const id = await newestSnapshot(test, hostId);
  const snapshot = { id, repository_id: host.repository_id };
  const choice = DraftChoice.parse({ host_id: hostId });
  const content = { items: ["/home/anna", "/home/<b>"], choice };
  return `/restores/${await createDraft(test.server, test.actor("alice"), snapshot, content)}`;
}

/** Answers of GET that are no pages: files, streams, fragments and ways back. */
const NO_PAGES =
  /^\/(assets|live)\/|^\/snapshots$|^\/snapshots\/:id\/(download|preview\/image)$|^\/jobs\/:id\/lines$|^\/cron-preview$|^\/hosts\/:id\/(sources|schedules)\/run$/;

Deno.test("no page is left out of what follows", () => {
  const looked = [
    ...OF_NOBODY,
    ...OF_FLEET,
    ...ofHost("x", "x", "x"),
    ...ofRepository("x"),
    ...ofSnapshot("x"),
    "/jobs/x",
    "/pending-hosts/x",
    "/restores/x",
  ];
  const pages = PAGE_ROUTES.filter(({ method, path }) => method === "GET" && !NO_PAGES.test(path))
    .map(({ path }) => path);
  const fits = (path: string, given: string) =>
    new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`).test(given.split("?")[0]!);
  const seen = new Set(looked.map((given) => pages.find((path) => fits(path, given))));
  assert.deepEqual(pages.filter((path) => !seen.has(path)), []);
});

browserTest(
  "pages with nothing in them are whole, and so are those of someone who is not signed in",
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
      ...ofSnapshot(await newestSnapshot(server, first!.id)),
      await beginRestore(server, first!.id),
      `/pending-hosts/${fleet.pendingId}`,
      ...Object.values(fleet.jobs).map((id) => `/jobs/${id}`),
    ]),
    [],
  );
});

browserTest(
  "answers of forms are whole: refused as typed, the command, a token, menus and what unfolds",
  async (browser) => {
    browser.allow(/status of 422/);
    await using server = await startServer();
    await using fleet = await smallFleet(server);
    const alice = await browser.logIn(server.url, "alice");
    const problems: string[] = [];
    const lookAtBoth = async (name: string) => {
      for (const size of SIZES) {
        await alice.setViewportSize(size);
        problems.push(...await lookAtOpen(alice, `${name} at ${size.width}`));
      }
    };
    const button = (name: string) => alice.getByRole("button", { name }).click();
    await alice.goto("/hosts/new");
    await alice.getByLabel("Name", { exact: true }).fill("<script>alert(1)</script>");
    await alice.getByLabel("Paths to back up").fill("relative");
    await button("Make the command");
    await alice.getByText("2 fields need another look.").waitFor();
    await lookAtBoth("a refused host");
    await alice.getByLabel("Name", { exact: true }).fill("web-03");
    await alice.getByLabel("Paths to back up").fill("/etc");
    await alice.getByRole("radio", { name: "Another one" }).check();
    await alice.getByLabel("Name of the repository").fill("web-03 vault");
    await alice.getByLabel("Address").fill("/srv/vault");
    await button("Make the command");
    await alice.getByText("Keep this password somewhere safe").waitFor();
    await lookAtBoth("the command");
    await alice.goto("/account");
    await alice.getByLabel("What the token is for").fill("report");
    await button("Make token");
    await alice.getByText(/rm_\w+/).waitFor();
    await lookAtBoth("a token");
    await alice.goto(`/hosts/${fleet.hosts[0]!.id}/settings`);
    await alice.getByText("Delete this host…").click();
    await alice.getByLabel("Type the name of the host").fill("other");
    await button("Delete host");
    await alice.getByText("Must be the name of the host.").waitFor();
    await lookAtBoth("a refused deletion");
    await alice.locator("details.menu summary").click();
    await lookAtBoth("the menu");
    await alice.goto("/");
    await alice.getByLabel("Reject web-01", { exact: true }).click();
    await lookAtBoth("rejecting");
    await alice.getByLabel("Accept pc-nora", { exact: true }).click();
    await alice.getByRole("heading", { name: "Accept pc-nora" }).waitFor();
    await lookAtBoth("accepting in place");
    await alice.getByRole("radio", { name: "Another one" }).check();
    await button("Accept host");
    await alice.getByText("fields need another look.").waitFor();
    await lookAtBoth("a refused acceptance");
    await alice.getByLabel("Name of the repository").fill("nora vault");
    await alice.getByLabel("Address").fill("/srv/nora");
    await button("Accept host");
    await alice.getByText("Keep this password somewhere safe").waitFor();
    await lookAtBoth("accepted");
    assert.deepEqual(problems, []);
  },
);

browserTest(
  "keys jump, focus the search and are listed; the theme changes at once and stays",
  async (browser) => {
    await using server = await startServer();
    await using _fleet = await smallFleet(server);
    const page = await browser.logIn(server.url, "olive");
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "q");
    await page.keyboard.type("db-0");
    await page.getByText("2 of 8 hosts").waitFor();
    await page.getByRole("heading", { name: "Hosts 8" }).click();
    await page.keyboard.press("g");
    await page.keyboard.press("j");
    await page.waitForURL("**/jobs");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" });

    await page.locator("details.menu summary").click();
    const saved = page.waitForResponse("**/account/theme");
    await page.getByRole("button", { name: "Dark" }).click();
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
    await saved;
    await page.reload();
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  },
);

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
      ...await look(olive, ["/pending-hosts"], [DESK], ["light"]),
      ...await look(olive, { [`/pending-hosts/${fleet.pendingId}`]: 403 }, [PHONE], ["dark"]),
      ...await look(victor, { "/pending-hosts": 403, "/repositories": 403, "/hosts/new": 403 }, [
        DESK,
      ], ["light"]),
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
        `/pending-hosts/${fleet.pendingId}`,
        "/pending-hosts?cursor=25",
      ]),
      [],
    );
  },
);
