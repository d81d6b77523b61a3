// The main job as a person does it: real server, real agent, a browser, and no mouse.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { browserTest, press, tabTo, type TestBrowser, type } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SNAPSHOT_ID, SUMMARY } from "../support/fake_restic.ts";
import { freePort, type Program, randomFiles, start } from "../support/programs.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";

const PASSWORD = "a sentence that is long enough";
const REPOSITORY_PASSWORD = "the password of the repository";

/** A server that nobody has used yet. */
class FreshServer implements AsyncDisposable {
  readonly #agents: Program[] = [];

  private constructor(
    readonly folder: string,
    readonly url: string,
    readonly server: Program,
  ) {}

  static async start(): Promise<FreshServer> {
    const folder = await Deno.makeTempDir({ prefix: "rm-walk-" });
    const listen = `127.0.0.1:${freePort()}`;
    const env = { RM_LISTEN: listen, RM_DATA_DIR: join(folder, "server") };
    return new FreshServer(folder, `http://${listen}`, start("server", ["serve"], env));
  }

  async setupLink(): Promise<string> {
    return await eventually(
      "the setup link is printed",
      () => /http:\S+\/setup\?token=\S+/.exec(this.server.printed())?.[0],
    );
  }

  /** What the command of the page does on the machine, without the installer. */
  join(token: string, env: Record<string, string> = {}): void {
    this.#agents.push(start("agent", ["run"], {
      RM_SERVER: this.url,
      RM_TOKEN: token,
      RM_CONFIG_DIR: join(this.folder, "config"),
      RM_STATE_DIR: join(this.folder, "state"),
      ...env,
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent.end("SIGTERM");
    await this.server.end("SIGTERM");
    await Deno.remove(this.folder, { recursive: true });
  }
}

const link = (page: Page, name: string) => page.getByRole("link", { name, exact: true });
const button = (page: Page | Locator, name: string) =>
  page.getByRole("button", { name, exact: true });
const field = (page: Page, label: string | RegExp) => page.getByLabel(label, { exact: true });

async function setUp(browser: TestBrowser, server: FreshServer): Promise<Page> {
  const link = await server.setupLink();
  const page = await browser.open(server.url);
  await page.goto(link);
  await type(field(page, "User name"), "alice");
  await type(field(page, "Password"), PASSWORD);
  await type(field(page, "The same password again"), PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("Welcome, alice.").waitFor();
  return page;
}

/** Through the form of Add host by keyboard alone; returns the token that the page shows. */
async function addHost(page: Page, name: string, repository: string): Promise<string> {
  await press(link(page, "Add host"));
  await page.waitForURL("**/hosts/new");
  await type(field(page, "Name"), name);
  await type(field(page, /^Tags/), "berlin web");
  await type(field(page, "Name of the repository"), "office nas");
  await type(field(page, "Address"), repository);
  await type(field(page, /^Repository password/), REPOSITORY_PASSWORD);
  await press(button(page, "Make the command"));
  await page.getByRole("heading", { name: `Run one command on ${name}` }).waitFor();
  const command = await page.locator(".command code").first().textContent();
  return /RM_TOKEN=(\S+)/.exec(command!)![1]!;
}

/** A source group by keyboard alone, from the page of the host. */
async function addGroup(page: Page, paths: string[]): Promise<void> {
  await press(link(page, "Sources"));
  await press(link(page, "Add source group"));
  await type(field(page, "Name"), "home");
  await tabTo(field(page, "Paths to back up"));
  await page.keyboard.insertText(paths.join("\n"));
  await type(field(page, "Daily"), "14");
  await press(button(page, "Add source group"));
  await page.getByText("The source group is added.").waitFor();
}

/** The button of the group, not of the empty one that every host begins with. */
async function runNow(page: Page): Promise<void> {
  await press(button(page.locator(".group", { hasText: "home" }), "Run now"));
  await page.waitForURL("**/jobs/*");
}

interface ShownLine {
  n: number;
  text: string;
}

async function shownLines(page: Page): Promise<ShownLine[]> {
  return await page.locator("#log-rows .line").evaluateAll((rows) =>
    rows.map((row) => ({
      n: Number(row.id.slice(1)),
      text: row.querySelector("span")!.textContent!,
    }))
  );
}

browserTest(
  "by keyboard alone: the setup link, Add host, the machine joins, Run now, the end, the snapshot, sign out",
  async (browser) => {
    await using server = await FreshServer.start();
    const source = join(server.folder, "files");
    await randomFiles(source, 5, 100_000);
    const repository = join(server.folder, "repository");
    const page = await setUp(browser, server);
    assert.ok(await page.getByRole("heading", { name: "No hosts yet" }).isVisible());

    const token = await addHost(page, "alpha", repository);
    assert.match(token, /^rmt_/);
    const waiting = page.locator("#joining");
    await waiting.getByText("waiting for it to join").waitFor();
    server.join(token);
    await waiting.getByText("is here and online").waitFor({ timeout: 30_000 });
    // Shown once: the same address is the empty form again.
    const other = await page.context().newPage();
    await other.goto("/hosts/new");
    assert.ok(!(await other.content()).includes(token));
    await other.close();

    await press(link(page, "Open the host"));
    const vitals = page.locator("#vitals");
    await vitals.getByText("repo ready", { exact: true }).waitFor({ timeout: 30_000 });
    await vitals.getByText("initialised").waitFor();
    await page.getByRole("heading", { name: "No snapshots yet" }).waitFor();

    await addGroup(page, [source]);
    await runNow(page);
    const title = page.getByRole("heading", { name: "Backup of “home” on alpha" });
    await title.waitFor();
    const outcome = page.locator("#job-outcome");
    await outcome.getByText(/^Backed up 5 new or changed files, .+ added to the repository\.$/)
      .waitFor({ timeout: 30_000 });
    assert.ok(await page.locator("#job-state").getByText("succeeded").isVisible());
    assert.equal(await page.getByRole("button", { name: "Cancel job" }).count(), 0);
    const snapshot = await outcome.locator(".copyable code").textContent();
    const listed = await resticByHand(
      anyRestic()!,
      repository,
      ["snapshots", "--json"],
      REPOSITORY_PASSWORD,
    );
    assert.ok(listed.includes(snapshot!), `${snapshot} is not in ${listed}`);
    assert.ok(
      (await shownLines(page)).some(({ text }) => text.startsWith(`snapshot ${snapshot}: 5`)),
    );

    await press(link(page, "alpha"));
    await page.getByText("1 snapshot, list of").waitFor();
    const row = page.locator("table.snaps tbody tr");
    assert.equal(await row.locator("code").textContent(), snapshot);
    assert.match((await row.textContent())!, /home/);
    await press(link(page, "restic-manager"));
    await page.getByRole("heading", { name: "Your host is backed up." }).waitFor();

    const cookies = await page.context().cookies();
    await press(page.locator("details.menu summary"));
    await press(button(page, "Sign out"));
    await page.waitForURL("**/login");
    await page.goBack();
    await page.waitForURL("**/login?next=*");
    await page.waitForLoadState("networkidle");
    assert.equal(await page.getByText("alpha").count(), 0);
    // Nor does a cookie that someone kept open anything.
    await page.context().addCookies(cookies);
    await page.goto("/");
    await page.waitForURL("**/login?next=*");
  },
);

browserTest(
  "an open job page shows lines, progress and the end as they come; a reload in mid-job loses and repeats nothing; a cancelled job says so",
  async (browser) => {
    await using server = await FreshServer.start();
    const upTo = join(server.folder, "up-to");
    const restic = new FakeRestic(server.folder, {
      verbs: {
        // Prints lines up to the number in the file, at its own pace; ends when the file says so.
        backup: `trap 'exit 130' INT
        i=0
        while :; do
          to=$(cat '${upTo}')
          [ "$to" = end ] && break
          printf '{"message_type":"status","percent_done":0.%03d,"total_files":1000,"files_done":%d,"total_bytes":4000,"bytes_done":%d,"current_files":["/srv/files/%d"]}\\n' $i $i $i $i
          if [ $i -ge "$to" ]; then sleep 0.05; continue; fi
          for _ in 1 2 3 4 5; do i=$((i + 1)); echo "file $i of this backup"; done
          sleep 0.02
        done
        ${SUMMARY}`,
        snapshots: LISTED,
      },
    });
    // A rename: a file that is being written is empty for a moment, which the loop would read as "go on".
    const gate = async (text: string) => {
      await Deno.writeTextFile(`${upTo}.new`, text);
      await Deno.rename(`${upTo}.new`, upTo);
    };
    await gate("20");
    const page = await setUp(browser, server);
    const token = await addHost(page, "alpha", join(server.folder, "repository"));
    server.join(token, { RM_RESTIC: restic.path });
    await press(link(page, "Open the host"));
    await page.locator("#vitals").getByText("initialised").waitFor({ timeout: 30_000 });
    await addGroup(page, ["/srv/files"]);
    await runNow(page);

    // Without a reload.
    await page.evaluate(() => document.body.dataset.same = "page");
    await page.getByText("file 20 of this backup", { exact: true }).waitFor();
    await page.locator("#job-progress").getByText(/^\d+(\.\d)? %$/).waitFor();
    await gate("200");
    await page.getByText("file 200 of this backup", { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => document.body.dataset.same), "page");

    // Twice in the middle of the flood.
    await gate("600");
    await page.getByText("file 260 of this backup", { exact: true }).waitFor();
    await page.reload();
    await page.getByText("file 400 of this backup", { exact: true }).waitFor();
    await page.reload();
    await page.getByText("file 600 of this backup", { exact: true }).waitFor();
    await page.locator("#job-progress").getByText("60 %", { exact: true }).waitFor();
    await page.locator("#job-progress").getByText("/srv/files/600").waitFor();
    await press(link(page, "Load earlier lines"));
    await page.getByText("file 1 of this backup", { exact: true }).waitFor({ state: "attached" });
    await gate("end");
    await page.locator("#job-outcome").getByText("Backed up 1 new or changed file").waitFor();
    const lines = await shownLines(page);
    assert.deepEqual(lines.map(({ n }) => n), lines.map((_, index) => index + 1));
    const files = lines.map(({ text }) => text).filter((text) => text.startsWith("file "));
    assert.deepEqual(files, Array.from({ length: 600 }, (_, n) => `file ${n + 1} of this backup`));
    assert.ok(await page.getByText(SNAPSHOT_ID.slice(0, 8), { exact: true }).isVisible());

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      link(page, "Download as text").click(),
    ]);
    assert.match(download.suggestedFilename(), /\.txt$/);
    const text = await Deno.readTextFile((await download.path())!);
    assert.equal(text.trimEnd().split("\n").length, lines.length);
    assert.ok(text.includes("file 600 of this backup"));

    await gate("20");
    await link(page, "alpha").click();
    await press(link(page, "Sources"));
    await runNow(page);
    await page.getByText("file 20 of this backup", { exact: true }).waitFor();
    await press(button(page, "Cancel job"));
    await page.locator("#job-state").getByText("cancelled").waitFor();
    await page.locator("#job-outcome").getByText(/cancelled/i).first().waitFor();
    assert.equal(await page.getByRole("button", { name: "Cancel job" }).count(), 0);
  },
);
