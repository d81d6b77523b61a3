/// <reference lib="dom" />
// A real Chromium per test, and an eye on everything that no page may do: errors on the console, exceptions, reports of
// the content security policy, dialogs, requests to anybody else. A test with a complaint fails, whatever else it found.
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import axe from "axe-core";
import { PASSWORD } from "./start_server.ts";

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export interface PageOptions {
  size?: typeof DESK;
  theme?: "light" | "dark";
  /** Pages as someone without scripts sees them. */
  scripts?: boolean;
}

/** Registers a test that has a browser of its own: one that outlived its test would be a leak to Deno's sanitizers. */
export function browserTest(name: string, body: (browser: TestBrowser) => Promise<void>): void {
  Deno.test(name, async () => {
    const browser = await TestBrowser.launch();
    try {
      await body(browser);
      browser.assertQuiet();
    } finally {
      await browser.close();
    }
  });
}

export class TestBrowser {
  readonly complaints: string[] = [];
  readonly #allowed: RegExp[] = [];

  private constructor(readonly browser: Browser) {}

  static async launch(): Promise<TestBrowser> {
    return new TestBrowser(
      await chromium.launch({
        executablePath: chromiumOnPath(),
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-background-networking",
          "--disable-dev-shm-usage",
        ],
      }),
    );
  }

  /** What this test causes on purpose, such as a refused form. */
  allow(complaint: RegExp): void {
    this.#allowed.push(complaint);
  }

  assertQuiet(): void {
    const left = this.complaints.filter((text) => !this.#allowed.some((each) => each.test(text)));
    if (left.length > 0) throw new Error(`The pages complained:\n  ${left.join("\n  ")}`);
  }

  /** A page in a browser profile of its own. */
  async open(url: string, options: PageOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: url,
      viewport: options.size ?? DESK,
      colorScheme: options.theme ?? "light",
      javaScriptEnabled: options.scripts ?? true,
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(40_000);
    await this.#watch(context, url);
    return await context.newPage();
  }

  /** A page of someone who has signed in through the form. */
  async logIn(
    url: string,
    person: string,
    options: PageOptions & { password?: string } = {},
  ): Promise<Page> {
    const page = await this.open(url, options);
    await page.goto("/login");
    await page.getByLabel("User name").fill(person);
    await page.getByLabel("Password", { exact: true }).fill(options.password ?? PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${url}/`);
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  async #watch(context: BrowserContext, url: string): Promise<void> {
    const note = (where: Page | string, what: string) =>
      this.complaints.push(`${typeof where === "string" ? where : where.url()}: ${what}`);
    await context.exposeBinding(
      "noteViolation",
      ({ page }, text: string) => note(page, `content security policy: ${text}`),
    );
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        // deno-lint-ignore no-explicit-any
        (globalThis as any).noteViolation(
          `${event.violatedDirective} ${event.blockedURI} ${event.sample}`,
        );
      });
    });
    context.on("page", (page) => {
      page.on("console", (message) => {
        if (message.type() !== "error") return;
        // A line and a column of a log that someone else wrote help nobody; the address does.
        note(page, `${message.text()} ${message.location().url}`);
      });
      page.on("pageerror", (error) => note(page, `exception: ${error.stack ?? error}`));
      page.on("crash", () => note(page, "crashed"));
      page.on("dialog", (dialog) => {
        note(page, `dialog: ${dialog.message()}`);
        dialog.dismiss().catch(() => {});
      });
    });
    context.on("request", (request) => {
      if (new URL(request.url()).origin !== url && !request.url().startsWith("data:")) {
        note(request.frame().url(), `asked for ${request.url()}`);
      }
    });
  }
}

/** tests/prepare.ts has seen to it that there is one. */
function chromiumOnPath(): string {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      const file = join(folder, name);
      if (existsSync(file)) return file;
    }
  }
  throw new Error("The tests in a browser need Chromium on PATH.");
}

/** Moves the focus by Tab alone until it is on the element, as a person without a mouse does. */
export async function tabTo(target: Locator): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < 80; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await target.page().keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${target}.`);
}

/** Reaches a link, button or summary by Tab and presses Enter. */
export async function press(target: Locator): Promise<void> {
  await tabTo(target);
  await target.page().keyboard.press("Enter");
}

/** Reaches a field by Tab and types into it. */
export async function type(target: Locator, text: string): Promise<void> {
  await tabTo(target);
  await target.page().keyboard.type(text);
}

/** What axe calls serious or critical, in one line each; with rules named, of those alone. */
export async function barriers(page: Page, rules?: string[]): Promise<string[]> {
  // Evaluated, not added as an element: the page's own policy stays in force.
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axe.source);
  return await page.evaluate(async (rules) => {
    // deno-lint-ignore no-explicit-any
    const { violations } = await (globalThis as any).axe.run(document, {
      ...(rules ? { runOnly: rules } : {}),
      resultTypes: ["violations"],
      preload: false,
    });
    // deno-lint-ignore no-explicit-any
    return violations.filter(({ impact }: any) => impact === "serious" || impact === "critical")
      // deno-lint-ignore no-explicit-any
      .map(({ id, nodes }: any) =>
        `${id}: ${nodes[0].html.slice(0, 200)} ×${nodes.length} ${nodes[0].any[0]?.message ?? ""}`
      );
  }, rules);
}

/** By how many pixels the page is wider than its window; 0 when nothing scrolls sideways. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}
