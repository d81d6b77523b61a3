// An agent that lies: hostile texts in every field that an agent fills, then every page that shows them.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { visible } from "../../shared/redact.ts";
import { LINE_STREAMS } from "../../shared/job.ts";
import { browserTest } from "../support/browser.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

/** Every one that becomes an element has the id `injected`; every one that runs calls alert. */
const CORPUS = [
  `<script id=injected>alert(1)</script>`,
  `<img id=injected src=x onerror=alert(2)>`,
  `<svg id=injected onload=alert(3)>`,
  `<b id=injected>bold</b>`,
  `<iframe id=injected srcdoc="<script>parent.alert(4)</script>"></iframe>`,
  `<a id=injected href="javascript:alert(5)">click</a>`,
  `<style id=injected>*{display:none}</style>`,
  `<link id=injected rel=stylesheet href=//evil.example/x.css>`,
  `<meta id=injected http-equiv=refresh content="0;url=//evil.example/">`,
  `<base id=injected href=//evil.example/>`,
  `<form id=injected action=//evil.example/><input name=_csrf>`,
  `</title><script id=injected>alert(6)</script>`,
  `</textarea><img id=injected src=x onerror=alert(7)>`,
  `</td></tr></table><div id=injected>out of the table</div>`,
  `</span></div></div><div id="log-rows" class=injected>`,
  `--><img id=injected src=x onerror=alert(8)>`,
  `<!--`,
  `]]><b id=injected>`,
  `<template id=injected><script>alert(9)</script></template>`,
  `<math id=injected><mtext><table><mglyph><style><img src=x onerror=alert(10)>`,
  `<noscript id=injected><p title="</noscript><img src=x onerror=alert(11)>">`,
  `" onmouseover="alert(12)" id="injected`,
  `' onfocus='alert(13)' autofocus tabindex=1 id='injected`,
  "` onclick=`alert(14)`",
  `"><img id=injected src=x onerror=alert(15)>`,
  `'"&<>\`=/\\`,
  `&lt;b id=injected&gt; &amp;amp; &#60;b&#62; &#x3c;b&#x3e;`,
  `javascript:alert(16)`,
  `data:text/html,<script>alert(17)</script>`,
  `{{7*7}} \${7*7} #{7*7} <%= 7*7 %> {% raw %} [[7*7]] @(7*7)`,
  `__proto__ constructor toString hasOwnProperty`,
  `hx-get=/logout hx-trigger=load data-live=//evil.example`,
  `id="fleet" id="job-state" id="log-rows"`,
  `../../../../etc/passwd %2e%2e%2f %00 ?x=1#y`,
  `\u202Egnp.exe\u202C \u2066isolated\u2069 \u200Ezero\u200B`,
  `خادم النسخ الاحتياطي (1) שרת`,
  `\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[2J\u001b[1;1H \u009b31m`,
  `NUL\u0000byte \u0001\u0008\u007f\u0085`,
  `line one\r\nline two\rline three\u2028four\u2029five\ttab`,
  `\ud83d\ude00 \ud83d lone \ufffe\uffff e\u0301\u0301\u0301\u0301\u0301\u0301\u0301`,
  `data: x\n\nevent: reload\ndata: y\n\n`,
  `${"very long ".repeat(300)}<b id=injected>`,
];

interface Liar {
  text: string;
  hostId: string;
  jobId: string;
  agent: FakeAgent;
}

/** A host whose agent says the text wherever it may say anything. Its job goes on. */
async function liar(server: TestServer, text: string, n: number): Promise<Liar> {
  const { hostId, bearer, repositoryId } = await joinHost(server, `host-${n}`);
  const agent = await FakeAgent.connect(server.url, bearer, {
    hostname: text.slice(0, 255),
    os: text.slice(0, 32),
    arch: text.slice(0, 32),
    agent_version: text.slice(0, 64),
    // Of every third host restic is missing, so that the problem is shown.
    restic_version: n % 3 ? text.slice(0, 64) : null,
    restic_problem: text.slice(0, 500),
  });
  const { job_id: init } = await agent.next("command.run");
  agent.started(init);
  // Of every fifth host the repository fails, so that its reason is shown.
  agent.finished(
    init,
    n % 5 ? { created: true } : {
      status: "failed",
      exit_code: 1,
      reason: text.slice(0, 2000),
      reason_code: text.slice(0, 64),
    },
  );
  await agent.acknowledged(
    agent.report({
      type: "snapshots.report",
      repository_id: repositoryId,
      report_id: init,
      taken_at: Date.now(),
      part: 1,
      parts: 1,
      snapshots: [{
        id: "ab".repeat(32),
        time: Date.now(),
        tags: [text.slice(0, 200)],
        paths: [text.slice(0, 4096), `/${text}`.slice(0, 4096)],
        hostname: text.slice(0, 255),
        username: text.slice(0, 255),
        parent: null,
        files: 1,
        bytes: 1,
        bytes_added: 1,
      }],
    }),
  );
  const { body } = await server.api("olive", "POST", `/api/hosts/${hostId}/jobs`, {
    kind: "backup",
  });
  await agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  agent.report({
    type: "job.started",
    job_id: body.job_id,
    at: Date.now(),
    restic_version: text.slice(0, 64),
    bandwidth_up_kib_per_s: null,
    bandwidth_down_kib_per_s: null,
  });
  return { text, hostId, jobId: body.job_id, agent };
}

const progressAt = (current_path: string) => ({
  percent: 50,
  files_done: 1,
  files_total: 2,
  bytes_done: 1,
  bytes_total: 2,
  bytes_per_second: 1,
  seconds_elapsed: 1,
  seconds_remaining: null,
  current_path,
});

/** What no page may hold, whatever an agent said. */
async function assertNothingInjected(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const wrong = [...document.querySelectorAll("*")].filter((element) =>
      element.id === "injected" || element.classList.contains("injected") ||
      Array.from(element.attributes).some(({ name, value }) =>
        /^on/.test(name) || (/^hx-/.test(name) && !element.matches("form.filters")) ||
        (/^(href|src|action|formaction)$/.test(name) &&
          new URL(value, location.href).origin !== location.origin)
      ) ||
      /^(IFRAME|OBJECT|EMBED|BASE|STYLE|MATH)$/i.test(element.tagName)
    ).map((element) => element.outerHTML.slice(0, 200));
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    return [...wrong, ...twice.map((id) => `twice: ${id}`)];
  });
  assert.deepEqual(found, [], page.url());
  const title = await page.title();
  assert.match(title, / · restic-manager$/);
}

/** Half a pair is no letter: one replacement stands for it, or three when it came from the disk. */
const whole = (text: string) => text.toWellFormed().replaceAll(/\ufffd+/g, "\ufffd");
const shown = (text: string) => whole(visible(text));

browserTest(
  "hostile texts from an agent are shown as text, live and on every page, and nothing of them acts",
  async (browser) => {
    await using server = await startServer();
    const alice = await browser.logIn(server.url, "alice");
    const liars: Liar[] = [];
    for (const [n, text] of CORPUS.entries()) liars.push(await liar(server, text, n));

    // Live: the lines and the progress arrive as fragments in an open page.
    const [first] = liars;
    await alice.goto(`/jobs/${first!.jobId}`);
    const lines = CORPUS.flatMap((text) => LINE_STREAMS.map((stream) => ({ stream, text })));
    first!.agent.report({
      type: "log.stream",
      job_id: first!.jobId,
      first_line: 1,
      lines: lines.map((line) => ({ at: Date.now(), ...line })),
    });
    await alice.locator(`#L${lines.length}`).waitFor();
    const expected = lines.map(({ text }) => shown(text.replaceAll("\0", "\u2400")));
    const texts = async () =>
      (await alice.locator("#log-rows .line > span").allTextContents()).map(whole);
    assert.deepEqual(await texts(), expected);
    for (const text of CORPUS) {
      const { jobId, agent } = first!;
      agent.send({
        type: "job.progress",
        job_id: jobId,
        progress: progressAt(text.slice(0, 4096)),
      });
    }
    await alice.locator("#job-progress").getByText("50 %").waitFor();
    await assertNothingInjected(alice);
    await alice.reload();
    await alice.locator(`#L${lines.length}`).waitFor();
    assert.deepEqual(await texts(), expected.slice(-(await texts()).length));
    await assertNothingInjected(alice);

    for (const { text, hostId, jobId, agent } of liars) {
      agent.send({
        type: "job.progress",
        job_id: jobId,
        progress: progressAt(text.slice(0, 4096)),
      });
      agent.lines(jobId, 10_001, [text]);
      await alice.goto(`/jobs/${jobId}`);
      await alice.locator("#L10001").waitFor();
      await assertNothingInjected(alice);
      agent.finished(jobId, {
        status: "failed",
        exit_code: 1,
        reason: text.slice(0, 2000),
        reason_code: text.slice(0, 64),
      });
      await alice.locator("#job-state").getByText("failed").waitFor();
      const reason = await alice.locator("#job-outcome p bdi").first().textContent();
      assert.equal(whole(reason!), shown(text.slice(0, 2000).replaceAll("\0", "\u2400")));
      await assertNothingInjected(alice);
      await alice.goto(`/hosts/${hostId}`);
      await alice.locator("table.snaps tbody tr").waitFor();
      const vitals = (await alice.locator("#vitals").textContent())!;
      assert.ok(
        whole(vitals).includes(`agent ${shown(text.slice(0, 64).replaceAll("\0", "\u2400"))}, `),
        vitals,
      );
      await assertNothingInjected(alice);
    }

    const { hostId } = liars[5]!;
    for (
      const path of [
        "/",
        "/?sort=name&page=1",
        "/?q=%3Cscript%3E",
        "/jobs",
        "/audit",
        "/repositories",
        "/account",
        "/hosts/new",
        `/hosts/${hostId}/sources`,
        `/hosts/${hostId}/repository`,
        `/hosts/${hostId}/jobs`,
        `/hosts/${hostId}/settings`,
      ]
    ) {
      await alice.goto(path);
      await assertNothingInjected(alice);
    }
    // The row of the first host: what it calls its system stands there as text.
    await alice.goto("/?q=host-0&sort=name");
    const row = alice.locator("table.hosts tbody tr").first();
    assert.match((await row.textContent())!, /<script id=injected>alert\(1\)/);
    for (const { agent } of liars) await agent.close();
  },
);
