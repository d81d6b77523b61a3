import assert from "node:assert/strict";
import { DOMParser } from "linkedom";
import { assets, assetUrl } from "../../templates/assets/assets.ts";
import { nextStep } from "../../templates/jobs/next_step.ts";
import { jobTitle } from "../../templates/jobs/words.tsx";
import { LogRows } from "../../templates/jobs/log.tsx";
import { stripInWords } from "../../templates/parts/strip.tsx";
import { HOSTILE, NOW, pages, render } from "./invented.tsx";

const appCss = new TextDecoder().decode(assets.get("app.css")?.content);
const NAMES = Object.keys(pages);
const parse = (html: string) => new DOMParser().parseFromString(html, "text/html");

for (const name of NAMES) {
  Deno.test(`page ${name} escapes what others wrote`, () => {
    const html = render(name);
    assert.ok(!html.includes("<script>alert"), "markup of a name reached the page");
    // What was typed wrongly goes back into its field unchanged; everything else shows escape codes as marks.
    const shown = html.replace(/ value="[^"]*"/g, "");
    assert.ok(!shown.includes("\u001b"), "an escape code reached the page");
  });

  Deno.test(`page ${name} keeps the strict content security policy`, () => {
    for (const element of parse(render(name)).querySelectorAll("*")) {
      for (const { name: attribute } of [...element.attributes]) {
        assert.ok(!/^(on|style$)/.test(attribute), `${element.tagName} has ${attribute}`);
      }
      if (element.tagName === "SCRIPT") assert.ok(element.getAttribute("src"), "inline script");
      assert.notEqual(element.tagName, "STYLE");
    }
  });

  Deno.test(`page ${name} uses only classes that the style sheet knows`, () => {
    for (const element of parse(render(name)).querySelectorAll("[class]")) {
      for (const one of element.getAttribute("class").split(/\s+/)) {
        assert.ok(new RegExp(`\\.${one}(?![\\w-])`).test(appCss), `no style for .${one}`);
      }
    }
  });

  Deno.test(`page ${name} names every input, and every form that posts carries the token`, () => {
    const document = parse(render(name));
    for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      const id = input.getAttribute("id");
      const isNamed = input.getAttribute("aria-label") || input.closest("label") ||
        (id && document.querySelector(`label[for="${id}"]`));
      assert.ok(isNamed, `no label: ${input.outerHTML}`);
    }
    for (const form of document.querySelectorAll("form[method=post]")) {
      assert.ok(
        form.querySelector("input[name=_csrf]"),
        `no token: ${form.getAttribute("action")}`,
      );
    }
    for (const element of document.querySelectorAll("[aria-describedby], [form]")) {
      const ids = `${element.getAttribute("aria-describedby") ?? ""} ${
        element.getAttribute("form") ?? ""
      }`;
      for (const id of ids.trim().split(/\s+/)) {
        assert.ok(document.getElementById(id), `nothing has the id ${id}`);
      }
    }
  });

  Deno.test(`page ${name} has one title, one h1, unique ids, and is at most 60 KB`, () => {
    const html = render(name);
    const document = parse(html);
    assert.equal(document.querySelectorAll("h1").length, 1);
    assert.ok(document.querySelector("title")?.textContent);
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
    assert.ok(new TextEncoder().encode(html).length <= 60_000, `${html.length} characters`);
  });
}

Deno.test("a page without someone signed in shows no navigation and no fleet", () => {
  const document = parse(render("login"));
  assert.equal(document.querySelector("nav"), null);
  assert.equal(document.getElementById("fleet"), null);
  assert.equal(document.body.getAttribute("data-live"), null);
});

Deno.test("a viewer gets no buttons that start or stop anything", () => {
  const document = parse(render("job-interrupted"));
  assert.equal(document.querySelector("[formaction]"), null);
});

Deno.test("a wrong form shows what was typed, the error in place and its link to the field", () => {
  const document = parse(render("add-host-wrong"));
  const input = document.querySelector("input[name=hostname]");
  assert.equal(input.getAttribute("value"), HOSTILE);
  assert.equal(input.getAttribute("aria-invalid"), "true");
  const error = document.getElementById(input.getAttribute("aria-describedby").split(" ")[0]);
  assert.match(error.textContent, /^Must begin with a letter or digit/);
  assert.match(document.querySelector("textarea").textContent, /etc\n\/home/);
});

Deno.test("secrets are write-only: no page gives a password field a value", () => {
  for (const name of NAMES) {
    for (const input of parse(render(name)).querySelectorAll("input[type=password]")) {
      assert.ok(!input.getAttribute("value"), `${name}: ${input.getAttribute("name")}`);
    }
  }
});

Deno.test("job titles are words, and a wrong password leads to the repository", () => {
  const job = {
    kind: "backup" as const,
    host_id: "h",
    host_name: "web-01",
    repository_id: "r",
    repositoryName: "nas",
    source_group_name: "home",
    status: "failed" as const,
    reason_code: "wrong_password",
  };
  assert.equal(jobTitle(job), "Backup of “home” on web-01");
  assert.equal(jobTitle({ ...job, kind: "init" }), "Open or make repository “nas” from web-01");
  assert.equal(nextStep(job)?.href, "/repositories/r");
  assert.equal(nextStep({ ...job, reason_code: null })?.kind, "backup");
});

Deno.test("log rows tell streams apart by class and word, number and link each line", () => {
  const rows = `${(
    <LogRows
      lines={[
        { line: 7, at: NOW, stream: "stderr", text: "\u001b[31m<b>no" },
        { line: 8, at: NOW, stream: "stdout", text: "" },
      ]}
    />
  )}`;
  assert.match(rows, /^<div class="line err" id="L7"><a href="#L7"/);
  assert.match(rows, /<b>stderr<\/b><span>␛\[31m&lt;b&gt;no<\/span>/);
});

Deno.test("the strip says in words what it draws", () => {
  assert.equal(
    stripInWords(["ok", "bad", "none", "ok"], NOW),
    "2 backed up, 1 failed (2026-11-20), 1 without a backup",
  );
});

Deno.test("assets have one address each, and the style sheet names only fonts that are there", () => {
  assert.match(assetUrl("app.css"), /^\/assets\/[0-9a-f]{12}\/app\.css$/);
  assert.throws(() => assetUrl("nothing.css"), RangeError);
  for (const [, font] of appCss.matchAll(/url\("([^"]+)"\)/g)) assert.ok(assets.has(font!), font);
  const total = [...assets.values()].reduce((sum, asset) => sum + asset.content.length, 0);
  assert.ok(total < 350_000, `${total} bytes`);
});
