// What keeps an open job page true: a server that dies and comes back, two tabs, a reader who scrolls, filters or leaves.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { browserTest } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { Fleet, runOnce } from "../support/programs.ts";
import { PASSWORD, startServer, type TestServer } from "../support/start_server.ts";

const texts = (page: Page) => page.locator("#log-rows .line > span").allTextContents();
const line = (page: Page, text: string) => page.getByText(text, { exact: true });
const numbered = (count: number, word = "line") =>
  Array.from({ length: count }, (_, n) => `${word} ${n + 1}`);

/** A job that runs on a host whose agent does only what the test says. */
async function runningJob(server: TestServer) {
  const joined = await joinHost(server, "alpha");
  const agent = await FakeAgent.connect(server.url, joined.bearer);
  const { job_id: init } = await agent.next("command.run");
  agent.started(init);
  await agent.acknowledged(agent.finished(init, { created: true }));
  const { body } = await server.api("olive", "POST", `/api/hosts/${joined.hostId}/jobs`, {
    kind: "backup",
  });
  const id: string = body.job_id;
  await agent.next("command.run", ({ job_id }) => job_id === id);
  agent.started(id);
  let told = 0;
  return {
    id,
    path: `/jobs/${id}`,
    agent,
    /** The next lines, "line 1" and so on; resolves when they are stored. */
    async print(count: number, word = "line"): Promise<void> {
      const first = told + 1;
      told += count;
      const all = Array.from({ length: count }, (_, n) => `${word} ${first + n}`);
      let last = 0;
      for (let from = 0; from < count; from += 500) {
        last = agent.lines(id, first + from, all.slice(from, from + 500));
      }
      await agent.acknowledged(last);
    },
    [Symbol.asyncDispose]: () => agent.close(),
  };
}

browserTest(
  "a server that is killed and started again under an open job page: a quiet note, then the page mends itself with every line once",
  async (browser) => {
    browser.allow(
      /net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/,
    );
    await using fleet = await Fleet.start();
    const password = join(fleet.folder, "password");
    await Deno.writeTextFile(password, PASSWORD);
    const env = { RM_DATA_DIR: join(fleet.folder, "server") };
    await runOnce("server", ["user", "reset-password", "alice", "--password-file", password], env);
    await fleet.renewToken();
    const gate = (name: string) => join(fleet.folder, name);
    const restic = new FakeRestic(fleet.folder, {
      verbs: {
        backup: `seq -f 'line %.0f' 1 40
        while [ ! -e '${gate("more")}' ]; do sleep 0.05; done; seq -f 'line %.0f' 41 80
        while [ ! -e '${gate("end")}' ]; do sleep 0.05; done; seq -f 'line %.0f' 81 120
        ${SUMMARY}`,
        snapshots: LISTED,
      },
    });
    const repository = { name: "r", url: gate("repository"), is_new: false, password: PASSWORD };
    const host = await fleet.join("alpha", repository, ["/etc"], { RM_RESTIC: restic.path });
    await fleet.repositoryReady(host);
    const job = await fleet.run(host);
    const page = await browser.logIn(fleet.url, "alice");
    await page.goto(`/jobs/${job}`);
    await line(page, "line 40").waitFor();
    const note = page.getByText("Not live: reconnecting…");
    assert.ok(await note.isHidden());
    await page.evaluate(() => document.body.dataset.same = "page");

    await fleet.server.end("SIGKILL");
    await note.waitFor();
    // Said while nobody listens.
    await Deno.writeTextFile(gate("more"), "");
    await fleet.startServer();
    await line(page, "line 80").waitFor({ timeout: 40_000 });
    await note.waitFor({ state: "hidden" });

    await Deno.writeTextFile(gate("end"), "");
    await page.locator("#job-outcome").getByText("Backed up 1 new or changed file").waitFor();
    const shown = (await texts(page)).filter((text) => text.startsWith("line "));
    assert.deepEqual(shown, numbered(120));
    assert.equal(await page.evaluate(() => document.body.dataset.same), "page");
  },
);

browserTest("two tabs show the same lines and the same end", async (browser) => {
  await using server = await startServer();
  await using job = await runningJob(server);
  await job.print(10);
  const first = await browser.logIn(server.url, "olive");
  const second = await browser.logIn(server.url, "victor");
  await Promise.all([first.goto(job.path), second.goto(job.path)]);
  await job.print(1200);
  for (const page of [first, second]) await line(page, "line 1210").waitFor();
  job.agent.finished(job.id);
  for (const page of [first, second]) {
    await page.locator("#job-outcome").getByText("Done.").waitFor();
    assert.deepEqual(await texts(page), numbered(1210));
    assert.ok(await page.locator("#job-state").getByText("succeeded").isVisible());
  }
  assert.equal(await second.getByRole("button", { name: "Cancel job" }).count(), 0);
});

browserTest(
  "scrolling up switches following off, lines wait without moving what is read, and the pill brings back",
  async (browser) => {
    await using server = await startServer();
    await using job = await runningJob(server);
    await job.print(200);
    const page = await browser.logIn(server.url, "olive");
    await page.goto(job.path);
    const log = page.locator("#log");
    const pill = page.getByRole("button", { name: /^Follow/ });
    const isAtEnd = () =>
      log.evaluate((box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 24);
    await line(page, "line 200").waitFor();
    await eventually("it stands at the end", isAtEnd);
    await job.print(50);
    await line(page, "line 250").waitFor();
    await eventually("it follows", isAtEnd);
    assert.ok(await pill.isHidden());

    await log.hover();
    await page.mouse.wheel(0, -600);
    await pill.waitFor();
    const top = await log.evaluate((box) => box.scrollTop);
    await job.print(70);
    await page.getByRole("button", { name: "Follow (70 new)" }).waitFor();
    assert.equal(await line(page, "line 251").count(), 0);
    assert.equal(await log.evaluate((box) => box.scrollTop), top);

    await pill.click();
    await line(page, "line 320").waitFor();
    await eventually("it follows again", isAtEnd);
    assert.ok(await pill.isHidden());
    await job.print(10);
    await line(page, "line 330").waitFor();
    await eventually("it still follows", isAtEnd);
    assert.deepEqual(await texts(page), numbered(330));
  },
);

browserTest(
  "the filter shows only lines with the words, those that come later too, and gives all of them back",
  async (browser) => {
    await using server = await startServer();
    await using job = await runningJob(server);
    await job.print(30);
    await job.print(3, "needle");
    const page = await browser.logIn(server.url, "olive");
    await page.goto(job.path);
    await line(page, "needle 33").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("NEEDLE");
    const visible = page.locator("#log-rows .line:visible > span");
    await line(page, "line 30").waitFor({ state: "hidden" });
    assert.deepEqual(await visible.allTextContents(), ["needle 31", "needle 32", "needle 33"]);
    await job.print(5);
    await job.print(1, "needle");
    await line(page, "needle 39").waitFor();
    assert.deepEqual((await visible.allTextContents()).length, 4);
    await page.getByLabel("Show only lines with").fill("");
    await line(page, "line 38").waitFor();
    assert.equal(await visible.count(), 39);
  },
);

browserTest(
  "a hidden tab gives its connection back, and shows what it missed when it is seen again",
  async (browser) => {
    await using server = await startServer();
    await using job = await runningJob(server);
    await job.print(5);
    const streams = countListeners(server, `job:${job.id}`);
    const page = await browser.logIn(server.url, "olive");
    await page.goto(job.path);
    await line(page, "line 5").waitFor();
    await eventually("the stream is open", () => streams() === 1);
    await setHidden(page, true);
    await eventually("the stream is closed", () => streams() === 0);
    await job.print(700);
    await setHidden(page, false);
    await line(page, "line 705").waitFor();
    assert.equal(streams(), 1);
    assert.deepEqual(await texts(page), numbered(705));
  },
);

browserTest(
  "the dashboard shows by itself that a host joined, runs and went away",
  async (browser) => {
    await using server = await startServer();
    const page = await browser.logIn(server.url, "olive");
    await page.getByRole("heading", { name: "No hosts yet" }).waitFor();
    {
      await using job = await runningJob(server);
      await page.getByRole("link", { name: "alpha" }).first().waitFor();
      const row = page.locator("table.hosts tbody tr");
      await row.getByText("backing up").waitFor();
      await page.locator("#fleet").getByText("1 running").waitFor();
      await job.agent.acknowledged(job.agent.finished(job.id));
      await row.getByText("succeeded").waitFor();
      await row.getByRole("button", { name: "Run now: alpha" }).waitFor();
      await page.getByRole("heading", { name: "Your host is backed up." }).waitFor();
    }
    await page.locator("table.hosts tbody tr").getByText("offline").waitFor();
    await page.locator("#fleet").getByText("1 offline").waitFor();
  },
);

browserTest(
  "hosts that join and leave appear in an open list and go from it without a reload, through its filter",
  async (browser) => {
    await using server = await startServer();
    await joinHost(server, "alpha");
    const page = await browser.logIn(server.url, "olive");
    const name = (name: string) => page.getByRole("link", { name, exact: true });
    const row = (host: string) => page.locator("#hosts tbody tr").filter({ has: name(host) });
    await row("alpha").waitFor();
    await page.evaluate(() => document.body.dataset.same = "page");
    const beta = await joinHost(server, "beta");
    await row("beta").waitFor();
    await page.locator("#host-count").getByText("2", { exact: true }).waitFor();
    // What comes later finds the new row.
    const agent = await FakeAgent.connect(server.url, beta.bearer);
    await row("beta").getByText("offline").waitFor({ state: "detached" });

    await page.getByLabel("Search hosts").fill("alp");
    await row("beta").waitFor({ state: "detached" });
    await joinHost(server, "gamma");
    await page.locator("#host-count").getByText("3", { exact: true }).waitFor();
    await joinHost(server, "alpine");
    await row("alpine").waitFor();
    assert.equal(await page.locator("#hosts tbody tr").count(), 2);
    await page.getByText("2 of 4 hosts").waitFor();
    await page.goBack();
    await row("gamma").waitFor();

    await agent.close();
    await server.api("alice", "DELETE", `/api/hosts/${beta.hostId}`);
    await row("beta").waitFor({ state: "detached" });
    assert.equal(await page.locator("#hosts tbody tr").count(), 3);
    assert.equal(await page.evaluate(() => document.body.dataset.same), "page");
  },
);

/** Chromium without a screen never hides a tab: the page is told what a browser would tell it. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

/** How many browsers listen to a topic at the moment. */
function countListeners({ server }: TestServer, wanted: string): () => number {
  let count = 0;
  const subscribe = server.events.subscribe.bind(server.events);
  server.events.subscribe = (topic, listener) => {
    const end = subscribe(topic, listener);
    if (topic !== wanted) return end;
    count++;
    return () => {
      count--;
      end();
    };
  };
  return () => count;
}

browserTest(
  "a page beyond 20 live ones says in words that it is not live, and a reload makes it live",
  async (browser) => {
    await using server = await startServer();
    const leave = Array.from(
      { length: 20 },
      () => server.server.streams.open(server.users.alice.id)!,
    );
    const page = await browser.logIn(server.url, "alice");
    await page.setViewportSize({ width: 390, height: 800 });
    const note = page.getByRole("status").filter({
      hasText: "Not live: too many live pages are open.",
    });
    await note.waitFor();
    assert.equal(server.server.streams.count, 20);
    for (const each of leave) each();
    await note.getByRole("link", { name: "Reload" }).click();
    await eventually("it is live", () => server.server.streams.count === 1);
    await note.waitFor({ state: "hidden" });
  },
);
