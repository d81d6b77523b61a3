/// <reference lib="dom" />
// Approval as a person does it: a real server, a real agent, a browser, and no mouse.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { browserTest, press, tabTo, type } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { freePort, randomFiles, start } from "../support/programs.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";
import { startServer } from "../support/start_server.ts";
import { joinHost } from "../support/fake_agent.ts";

const PASSWORD = "a sentence that is long enough";
const REPOSITORY_PASSWORD = "the password of the repository";

const field = (page: Page, label: string | RegExp) => page.getByLabel(label, { exact: true });
const digits = async (row: ReturnType<Page["locator"]>) =>
  (await row.locator("code.fingerprint").textContent())!.replaceAll(/\s/g, "");

browserTest(
  "by keyboard alone: a machine announces itself, its banner and the page show one fingerprint, Accept, the first backup",
  async (browser) => {
    const folder = await Deno.makeTempDir({ prefix: "rm-approve-" });
    const listen = `127.0.0.1:${freePort()}`;
    const env = { RM_LISTEN: listen, RM_DATA_DIR: join(folder, "server") };
    const server = start("server", ["serve"], env);
    const agent = start("agent", ["run"], {
      RM_SERVER: `http://${listen}`,
      RM_CONFIG_DIR: join(folder, "config"),
      RM_STATE_DIR: join(folder, "state"),
    });
    try {
      await randomFiles(join(folder, "files"), 5, 100_000);
      const setup = await eventually(
        "the setup link is printed",
        () => /http:\S+\/setup\?token=\S+/.exec(server.printed())?.[0],
      );
      const page = await browser.open(`http://${listen}`);
      await page.goto(setup);
      await type(field(page, "User name"), "alice");
      await type(field(page, "Password"), PASSWORD);
      await type(field(page, "The same password again"), PASSWORD);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "No hosts yet" }).waitFor();

      const row = page.locator("#pending li");
      await row.getByText("key proven, connected now").waitFor({ timeout: 30_000 });
      const banner = /^ {2}fingerprint {2}(SHA256:[0-9a-f]{64})$/m.exec(agent.printed())![1];
      assert.equal(await digits(row), banner);
      // Line by line what the banner shows in large.
      for (const span of await row.locator("code.fingerprint > span:not(.off-screen)").all()) {
        const line = (await span.textContent())!.replaceAll(/ +/g, " ");
        assert.ok(agent.printed().replaceAll(/ +/g, " ").includes(line), line);
      }

      await press(row.getByRole("link", { name: /^Accept / }));
      await page.getByRole("heading", { name: /^Accept / }).waitFor();
      assert.equal(new URL(page.url()).pathname, "/", "in place");
      // The keyboard is in the form already, below the digits once more.
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "name");
      assert.equal(await digits(page.locator("#accept")), banner);
      await field(page, "Name").fill("anna");
      await type(field(page, /^Tags/), "berlin");
      await tabTo(field(page, /^Paths to back up/));
      await page.keyboard.insertText(join(folder, "files"));
      await type(field(page, "Name of the repository"), "office nas");
      await type(field(page, "Address"), join(folder, "repository"));
      await type(field(page, /^Repository password/), REPOSITORY_PASSWORD);
      await press(page.getByRole("button", { name: "Accept host" }));
      await page.waitForURL("**/hosts/*");
      await page.getByText("anna is accepted.").waitFor();
      const vitals = page.locator("#vitals");
      await vitals.getByText("repo ready", { exact: true }).waitFor({ timeout: 30_000 });
      await eventually(
        "it says so",
        () => /^accepted: this machine is now host anna$/m.test(agent.printed()),
      );

      await press(page.getByRole("link", { name: "Sources", exact: true }));
      await press(page.locator(".group").getByRole("button", { name: "Run now", exact: true }));
      await page.waitForURL("**/jobs/*");
      await page.locator("#job-outcome").getByText(/^Backed up 5 new or changed files/)
        .waitFor({ timeout: 30_000 });
      const listed = await resticByHand(
        anyRestic()!,
        join(folder, "repository"),
        ["snapshots", "--json"],
        REPOSITORY_PASSWORD,
      );
      assert.deepEqual(JSON.parse(listed).map((each: { hostname: string }) => each.hostname), [
        "anna",
      ]);
      await page.goto("/");
      await page.getByRole("heading", { name: "Your host is backed up." }).waitFor();
      assert.ok(await page.locator("#pending").isHidden());
    } finally {
      await agent.end("SIGTERM");
      await server.end("SIGTERM");
      await Deno.remove(folder, { recursive: true });
    }
  },
);

browserTest(
  "machines appear and leave by themselves, Reject asks once, a form that is open stays, operators only look",
  async (browser) => {
    await using test = await startServer();
    await joinHost(test, "web-01");
    const alice = await browser.logIn(test.url, "alice");
    const olive = await browser.logIn(test.url, "olive");
    const victor = await browser.logIn(test.url, "victor");
    for (const page of [alice, olive, victor]) {
      await page.evaluate(() => document.body.dataset.same = "page");
    }
    const rows = (page: Page) => page.locator("#pending .pending > li");
    assert.ok(await alice.locator("#pending").isHidden());

    const anna = await Announcer.announced(test, "pc-anna");
    await rows(alice).filter({ hasText: "pc-anna" }).getByText("key not proven yet").waitFor();
    const socket = await anna.wait(test.url);
    await rows(alice).getByText("key proven, connected now").waitFor();
    assert.equal(await digits(rows(alice)), anna.fingerprint);
    await Announcer.announced(test, "WEB-01");
    const twin = rows(alice).filter({ hasText: "WEB-01" });
    await twin.getByText("this name is taken").waitFor();
    await rows(olive).nth(1).waitFor();
    assert.equal(await olive.locator("#pending").getByText(/Accept…|Reject…/).count(), 0);
    assert.equal(await victor.locator("#pending").count(), 0);
    assert.ok(!(await victor.content()).includes("pc-anna"));

    await press(alice.getByRole("link", { name: "Accept pc-anna" }));
    await field(alice, "Name").fill("half typed");
    const third = await Announcer.announced(test, "pc-tom");
    await rows(alice).filter({ hasText: "pc-tom" }).waitFor();
    assert.equal(await field(alice, "Name").inputValue(), "half typed");
    await test.api("alice", "POST", `/api/pending-hosts/${third.pendingId}/reject`);
    await rows(alice).filter({ hasText: "pc-tom" }).waitFor({ state: "detached" });
    assert.equal(await field(alice, "Name").inputValue(), "half typed");
    assert.equal(await alice.evaluate(() => document.body.dataset.same), "page");

    await press(twin.locator("summary"));
    await press(twin.getByRole("button", { name: "Reject this machine" }));
    await alice.getByText("WEB-01 is rejected. It stops asking.").waitFor();
    assert.equal(await rows(alice).count(), 1);
    await press(alice.getByRole("link", { name: "2 machines rejected within the last day" }));
    await press(alice.getByRole("button", { name: "Allow again: pc-tom" }));
    await alice.getByText("It may ask again").waitFor();
    assert.equal((await third.announce(test)).status, 200);
    await olive.goto("/pending-hosts");
    assert.equal(await olive.getByRole("button", { name: /^Allow/ }).count(), 0);
    await socket.close();
  },
);

browserTest(
  "without scripts Accept is a page of its own, and wrong input comes back as it was typed",
  async (browser) => {
    browser.allow(/status of 4(22|04)/);
    await using test = await startServer();
    const anna = await Announcer.announced(test, "pc-anna");
    const page = await browser.logIn(test.url, "alice", { scripts: false });
    await page.getByRole("link", { name: "Accept pc-anna" }).click();
    await page.waitForURL(`**/pending-hosts/${anna.pendingId}`);
    assert.equal(await digits(page.locator("#accept")), anna.fingerprint);
    await field(page, "Name").fill("-x");
    await field(page, /^Paths to back up/).fill("relative");
    await field(page, "Address").fill("/srv/anna");
    await page.getByRole("button", { name: "Accept host" }).click();
    await page.getByText("3 fields need another look.").waitFor();
    assert.equal(await field(page, "Name").inputValue(), "-x");
    assert.equal(await field(page, "Address").inputValue(), "/srv/anna");
    await field(page, "Name").fill("anna");
    await field(page, /^Paths to back up/).fill("/home");
    await field(page, "Name of the repository").fill("vault");
    await page.getByRole("button", { name: "Accept host" }).click();
    await page.getByRole("heading", { name: "anna is accepted" }).waitFor();
    await page.getByText(/^[a-z2-9]{5}(-[a-z2-9]{5}){4}$/).waitFor();
    await page.goto(`/pending-hosts/${anna.pendingId}`);
    await page.getByText("No machine waits here. It was accepted or rejected").waitFor();
  },
);

/** A proxy in front of the server that keeps the answers to POST until it is told. */
function slowProxy(target: string, until: () => Promise<unknown>) {
  const stop = new AbortController();
  const { signal: stopped } = stop;
  const options = { port: 0, hostname: "127.0.0.1", onListen() {}, signal: stopped };
  const http = Deno.serve(options, async (request) => {
    const { pathname, search, host } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("x-forwarded-host", host);
    const { method, body, signal } = request;
    const answer = await fetch(`${target}${pathname}${search}`, {
      method,
      headers,
      body,
      signal,
      redirect: "manual",
    });
    if (pathname.endsWith("/accept")) await until();
    return new Response(answer.body, answer);
  });
  return {
    url: `http://127.0.0.1:${http.addr.port}`,
    // Streams are open through it: it does not wait for them.
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return http.finished;
    },
  };
}

browserTest(
  "the one answer that shows a password is not lost when the first host changes the page meanwhile",
  async (browser) => {
    await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.0/8" } });
    await Announcer.announced(test, "pc-anna");
    const told = Promise.withResolvers<void>();
    await using proxy = slowProxy(test.url, () => told.promise);
    const page = await browser.logIn(proxy.url, "alice");
    await page.getByRole("link", { name: "Accept pc-anna" }).click();
    await field(page, "Name of the repository").fill("vault");
    await field(page, "Address").fill("/srv/anna");
    // A second stream of the same kind sees when the page is told to load itself again.
    await page.exposeFunction("toldToReload", () => told.resolve());
    await page.evaluate(() => {
      const stream = new EventSource(document.body.dataset.live!);
      stream.addEventListener("reload", () => {
        stream.close();
        // deno-lint-ignore no-explicit-any
        (globalThis as any).toldToReload();
      });
    });
    await page.getByRole("button", { name: "Accept host" }).click();
    await page.getByRole("heading", { name: "pc-anna is accepted" }).waitFor();
    await page.getByText(/^[a-z2-9]{5}(-[a-z2-9]{5}){4}$/).waitFor();
    await page.context().close();
  },
);
