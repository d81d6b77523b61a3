import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { attack } from "../support/trial.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { type Person, startServer } from "../support/start_server.ts";
import { newId } from "../../shared/new_id.ts";
import { ROUTES } from "../../server/web/routes.ts";

/** Each would make an element, an attribute or a link of its own where it is not text. */
const TEXTS = [
  `<x-injected>`,
  `<IMG SRC=x OnError=alert(1) id=injected>`,
  `"><svg/onload=alert(1)//`,
  `' autofocus onfocus=alert(1) x='`,
  `\` onpointerenter=alert(1) \``,
  `</script><x-injected>`,
  `</textarea></select></option><x-injected>`,
  `</template></noscript></title></style><x-injected>`,
  `&lt;x-injected&gt;&#x3c;x-injected&#62;`,
  `&amp;lt;x-injected&amp;gt;`,
  `<!--><x-injected>-->`,
  `<![CDATA[<x-injected>]]>`,
  `<math><mtext></p><x-injected>`,
  `<a href=javascript:alert(1)>x</a><base href=//evil.example>`,
  `<form action=//evil.example><button form=act formaction=//evil.example>`,
  `\uff1cx-injected\uff1e \u2039x-injected\u203a <\u0000x-injected>`,
  `javascript:alert(1)//http://x`,
  `{{constructor.constructor('alert(1)')()}}\${alert(1)}`,
  `\r\nevent: reload\r\ndata: <x-injected>\r\n\r\n`,
];

/** Where most of it is shown; the other pages are read with the first few texts. */
const SHOWN = new Set([
  ...["/", "/jobs", "/jobs/:id", "/hosts/:id", "/hosts/:id/repository", "/hosts/:id/settings"],
  ...["/hosts/:id/jobs", "/repositories/:id", "/audit"],
]);

/** As much of the DOM as is looked at; programs of Deno know no document. */
interface Parsed {
  document: {
    querySelectorAll(selector: string): Iterable<{
      tagName: string;
      getAttribute(name: string): string | null;
      attributes: Iterable<{ name: string; value: string }>;
    }>;
  };
}

/** What of a page is not ours. */
function foreign(html: string): string[] {
  const { document } = parseHTML(html) as unknown as Parsed;
  const found: string[] = [];
  for (const element of document.querySelectorAll("*")) {
    const name = element.tagName.toLowerCase();
    if (["x-injected", "base", "iframe", "object", "math"].includes(name)) found.push(`<${name}>`);
    if (name === "script" && !element.getAttribute("src")?.startsWith("/assets/")) {
      found.push("a script of its own");
    }
    for (const { name: attribute, value } of element.attributes) {
      if (/^on/i.test(attribute)) found.push(`${attribute} of <${name}>`);
      const isLink = ["href", "src", "action", "formaction", "data-live", "hx-get"]
        .includes(attribute);
      if (isLink && !/^(\/(?!\/)|#|\?|data:image\/)/.test(value)) {
        found.push(`${attribute}=${value.slice(0, 40)}`);
      }
      if (attribute === "id" && value === "injected") found.push("an id of its own");
    }
  }
  return found;
}

attack({
  id: "S28",
  promise: "what agents, machines and repositories say is text on every page",
  done:
    `${TEXTS.length} texts stand wherever an agent may say something (its system, its brakes, locks, snapshots of others, paths, reasons, lines, progress); then all pages, streams and error pages are read as admin, operator and viewer`,
  expected: "no element, attribute or link that is not ours; what was said stands there as text",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const repository_id = host.repositoryId;
  const path = `/api/hosts/${host.hostId}`;
  const [{ id: groupId }] = (await test.api("alice", "GET", `${path}/source-groups`)).body.items;
  let agent = await FakeAgent.connect(test.url, host.bearer, { instance: "a".repeat(32) });
  const init = await agent.next("command.run");
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  await Announcer.announced(test, "pending-host");
  const order = async (kind: string, at: "hosts" | "repositories") => {
    const to = at === "hosts" ? `${path}/jobs` : `/api/repositories/${repository_id}/jobs`;
    const { job_id } = (await test.api("alice", "POST", to, { kind })).body;
    await agent.next("command.run", (each) => each.job_id === job_id);
    agent.started(job_id);
    return job_id as string;
  };
  const answers = new Map<Person, number>();
  let shown = 0;
  for (const text of TEXTS) {
    await agent.close();
    const brake = { allow_hooks: false, allow_restore_in_place: false };
    agent = await FakeAgent.connect(test.url, host.bearer, {
      instance: "a".repeat(32),
      hostname: text,
      os: text.slice(0, 32),
      arch: text.slice(0, 32),
      agent_version: text.slice(0, 64),
      restic_version: text.slice(0, 64),
      brakes: { ...brake, roots: [text], repositories: [text, `rest:https://${text}`] },
    });
    const check = await order("check", "repositories");
    const stranger = {
      ...{ time: Date.now(), tags: [text], paths: [text], hostname: text, username: text },
      ...{ parent: null, files: 1, bytes: 1, bytes_added: 1 },
    };
    agent.report({
      ...{ type: "snapshots.report", whole: true, job_id: check, repository_id, part: 1, parts: 1 },
      ...{ report_id: newId(), taken_at: Date.now() },
      snapshots: [{ ...stranger, id: newId().replaceAll("-", "").repeat(2) }],
    });
    const lock = { id: "ab".repeat(8), at: 1, exclusive: true, pid: 1 };
    agent.report({
      ...{ type: "repo.locks", job_id: check, repository_id },
      locks: [{ ...lock, hostname: text, username: text }],
    });
    agent.finished(check, {
      ...{ status: "failed", exit_code: 1, reason: text, reason_code: text.slice(0, 64) },
      opened: { restic_id: newId().replaceAll("-", "").repeat(2), address: text },
    });
    const jobId = await order("backup", "hosts");
    agent.lines(jobId, 1, [text, `hook: ${text}`]);
    const ended = agent.finished(jobId, {
      ...{ status: "failed", exit_code: 3, reason: text, reason_code: text.slice(0, 64) },
      sources: [{ path: text, problem: "missing" }],
    });
    const running = await order("unlock", "hosts");
    agent.send({
      type: "job.progress",
      job_id: running,
      progress: {
        ...{ percent: 1, files_done: 1, files_total: 1, bytes_done: 1, bytes_total: 1 },
        ...{ bytes_per_second: 1, seconds_elapsed: 1, seconds_remaining: 1, current_path: text },
      },
    });
    agent.send({ type: "error", message: text });
    await agent.acknowledged(ended);
    const ids: Record<string, string> = {
      ...{ hosts: host.hostId, repositories: repository_id, jobs: jobId, gid: groupId },
    };
    const person = (["alice", "olive", "victor"] as const)[TEXTS.indexOf(text) % 3]!;
    const isFirst = TEXTS.indexOf(text) < 3;
    const pages = ROUTES.filter(({ method, path }) =>
      method === "GET" && (isFirst || SHOWN.has(path)) &&
      !/^\/(api|agent|install|assets|healthz|readyz|setup|login|live)/.test(path)
    ).map(({ path }) =>
      path.replace(
        /([^/]*)\/:(\w+)/g,
        (_, before: string, name: string) =>
          `${before}/${ids[name === "id" ? before : name] ?? newId()}`,
      )
    );
    for (const page of [...pages, `/jobs/${running}`, `/${encodeURIComponent(text)}`]) {
      const response = await fetch(test.url + page, {
        headers: { authorization: `Bearer ${test.tokens[person]}`, accept: "text/html" },
        redirect: "manual",
      });
      const html = await response.text();
      assert.ok(response.status < 500, `${page}: ${response.status}`);
      assert.deepEqual(foreign(html), [], `${page} as ${person}, with ${text}`);
      answers.set(person, (answers.get(person) ?? 0) + 1);
      if (html.includes(text.slice(0, 8).replaceAll("<", "&lt;"))) shown++;
    }
    await agent.acknowledged(agent.finished(running));
  }
  see(
    `${
      [...answers].map(([person, count]) => `${count} pages as ${person}`).join(", ")
    }; on ${shown} of them the text stands, nothing of them acts`,
  );
  assert.ok(shown > TEXTS.length * 4);
  // The reader of pages does see what it is to see.
  assert.deepEqual(foreign(`<p><x-injected onclick=x><a href=//evil>`).length, 3);
  await agent.close();
});
