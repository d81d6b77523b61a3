// The page of a snapshot: it waits for nobody, follows what comes, and shows what agents say as text.
import assert from "node:assert/strict";
import { browsePage } from "../../support/browse_page.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { RawStream } from "../../support/raw_stream.ts";
import { startServer } from "../../support/start_server.ts";

const ID = "1a2b3c4d".repeat(8);
const end = (path: string) =>
  `${JSON.stringify({ snapshot: ID, path, cut: false, left_out: 0 })}\n`;
const entry = (name: string, type = "file") =>
  `${JSON.stringify([type, name, type === "file" ? 5 : null, 1000, 0o644, 0, 0])}\n`;

async function world() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const host = await joinHost(test, "alpha", {}, ["/home"]);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  stack.defer(() => agent.close());
  await agent.acknowledged(agent.snapshots(host.repositoryId, [ID]));
  const page = await browsePage(test, "alice");
  return Object.assign(stack.move(), { test, host, agent, page });
}

Deno.test("the page comes at once and is told when the folder is there, and what went wrong", async () => {
  await using all = await world();
  const waiting = await all.page(`/snapshots/${ID}?path=/home`);
  assert.match(waiting, /Reading the folder/);
  assert.match(waiting, /<noscript><meta http-equiv="refresh" content="3"/);
  const live = /data-live="([^"]+)"/.exec(waiting)![1]!.replaceAll("&amp;", "&");
  assert.match(live, new RegExp(`^/live/snapshots/${ID}\\?`));
  const stream = await RawStream.open(all.test.url, live, `Bearer ${all.test.tokens.alice}`);
  assert.ok(await stream.until('id="fleet"'));
  assert.ok(!stream.text.includes("event: reload"));
  await all.agent.opened(1);
  all.agent.data(1, entry("<b>bold") + entry("sub", "folder") + end("/home"));
  all.agent.endStream(1);
  assert.ok(await stream.until("event: reload"));
  stream.close();
  const shown = await all.page(`/snapshots/${ID}?path=/home`);
  assert.match(shown, /&lt;b&gt;bold/);
  assert.match(shown, /href="\?repository=[^"]+&amp;path=%2Fhome%2Fsub"/);
  assert.match(shown, /data-live="\/live\/fleet"/);
  // A failure is told in its page, once; the next look tries again.
  assert.match(await all.page(`/snapshots/${ID}?path=/bad`), /Reading the folder/);
  await all.agent.opened(2);
  all.agent.endStream(2, { code: "unreachable", message: "<script>" });
  const failed = await eventually("it has failed", async () => {
    const text = await all.page(`/snapshots/${ID}?path=/bad`);
    return text.includes("does not reach the repository") && text;
  });
  assert.match(failed, /Try again/);
  assert.ok(!failed.includes("<script>\n") && !failed.includes("http-equiv"));
  assert.match(await all.page(`/snapshots/${ID}?path=/bad`), /Reading the folder/);
});

Deno.test("a page of a large folder in a deep place is small, has a next and a previous one, and says what is sorted", async () => {
  await using all = await world();
  const path = `/${"a long name of a folder ".repeat(8)}`.repeat(4).replaceAll(/ \//g, "/").trim();
  const address = (more = "") => `/snapshots/${ID}?path=${encodeURIComponent(path)}${more}`;
  await all.page(address());
  const { request } = await all.agent.opened(1);
  assert.equal((request as { path: string }).path, path);
  const lines = Array.from(
    { length: 500 },
    (_, n) => entry(`folder ${n} ${"ä".repeat(60)}`, "folder"),
  );
  all.agent.data(1, lines.slice(0, 250).join(""));
  all.agent.data(1, lines.slice(250).join("") + end(path));
  all.agent.endStream(1);
  const first = await eventually("it is there", async () => {
    const text = await all.page(address("&sort=time&order=desc"));
    return text.includes("500 entries") && text;
  });
  assert.ok(first.length < 60_000, `${first.length}`);
  assert.match(first, /aria-sort="descending"/);
  assert.ok(!first.includes('rel="prev"'));
  const next = /href="(\?[^"]+)" rel="next"/.exec(first)![1]!.replaceAll("&amp;", "&");
  const second = await all.page(`/snapshots/${ID}${next}`);
  assert.match(second, /rel="prev"/);
  assert.notEqual(/folder \d+/.exec(second)![0], /folder \d+/.exec(first)![0]);
  const filtered = await all.page(address("&q=folder%20499"));
  assert.match(filtered, /1 of 500 entries/);
  assert.match(await all.page(address("&q=%3Cnone%3E")), /No name in this folder has that/);
});

Deno.test("a viewer has no link and no page; an operator only what an admin approved; an id is typed on the repository's page", async () => {
  await using all = await world();
  const victor = await browsePage(all.test, "victor");
  assert.ok(!(await victor(`/hosts/${all.host.hostId}`)).includes("/snapshots/"));
  assert.match(await victor(`/snapshots/${ID}`), /operator/i);
  assert.ok(!all.agent.received.some(({ type }) => type === "stream.open"));
  const olive = await browsePage(all.test, "olive");
  assert.match(await olive(`/hosts/${all.host.hostId}`), /href="\/snapshots\/1a2b3c4d/);
  assert.match(await olive(`/snapshots/${ID}?path=/etc`), /You may not see this folder/);
  const repository = `repository=${all.host.repositoryId}`;
  assert.match(await olive(`/repositories/${all.host.repositoryId}`), /Open a snapshot/);
  assert.match(await olive(`/snapshots?${repository}&id=+1a2b3c4d+`), /Snapshot 1a2b3c4d/);
  assert.match(await olive(`/snapshots?${repository}&id=00000000`), /No list of snapshots holds/);
});
