// Who may import whom (ARCHITECTURE.md), read from the module graph itself.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SUBJECTS = [
  "audit",
  "downloads",
  "enrolment",
  "hooks",
  "hosts",
  "jobs",
  "maintenance",
  "pending_hosts",
  "quotas",
  "repositories",
  "schedules",
  "snapshots",
  "source_groups",
  "users",
];

interface Arrow {
  from: string;
  to: string;
  /** Nothing of it is left when the types are gone. */
  isType: boolean;
}

interface Graph {
  modules: {
    specifier: string;
    dependencies?: {
      specifier: string;
      code?: { specifier: string };
      type?: { specifier: string };
    }[];
  }[];
}

async function sourceFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(ROOT + folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...await sourceFiles(path));
    else if (/\.tsx?$/.test(entry.name)) files.push(path);
  }
  return files;
}

/** Every import of every file below the folders, by path inside the project or by package name. */
async function arrows(): Promise<Arrow[]> {
  const files =
    (await Promise.all(["server", "agent", "shared", "templates", "deploy"].map(sourceFiles)))
      .flat();
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      files.map((file) => `import ${JSON.stringify(`file://${ROOT}${file}`)};`).join("\n"),
    );
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", `${ROOT}deno.json`, entry],
      stderr: "inherit",
    }).output();
    assert.ok(success);
    const graph = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
    const sources = new Map(
      await Promise.all(
        graph.modules.filter(({ specifier }) => specifier.startsWith(`file://${ROOT}`)).map(
          async ({ specifier }) =>
            [specifier, await Deno.readTextFile(new URL(specifier))] as const,
        ),
      ),
    );
    const inside = (specifier: string) =>
      specifier.startsWith(`file://${ROOT}`) ? specifier.slice(7 + ROOT.length) : specifier;
    return graph.modules.filter((module) => module.specifier.startsWith(`file://${ROOT}`)).flatMap((
      module,
    ) =>
      (module.dependencies ?? []).map((dependency) => ({
        from: inside(module.specifier),
        to: inside(
          dependency.code?.specifier ?? dependency.type?.specifier ?? dependency.specifier,
        ),
        isType: !dependency.code ||
          isTypeOnly(sources.get(module.specifier)!, dependency.specifier),
      }))
    );
  } finally {
    await Deno.remove(entry);
  }
}

/** True when every name that is imported or exported from there is marked as a type. */
export function isTypeOnly(source: string, specifier: string): boolean {
  const statement = /^(?:import|export)\s+(type\s+)?([^;"]*?)\s*from\s+"([^"]+)"/gm;
  const found = [...source.matchAll(statement)].filter(([, , , from]) => from === specifier);
  return found.length > 0 && found.every(([, isType, names]) =>
    isType ||
    (/^\{[^]*\}$/.test(names!) &&
      names!.slice(1, -1).split(",").map((name) => name.trim()).filter(Boolean)
        .every((name) => name.startsWith("type ")))
  );
}

/** Files that need each other before any of them can be read alone. */
export function cycles(arrows: Arrow[]): string[][] {
  const to = new Map<string, string[]>();
  for (const arrow of arrows) {
    if (!arrow.isType) to.set(arrow.from, [...to.get(arrow.from) ?? [], arrow.to]);
  }
  const reached = (start: string) => {
    const seen = new Set<string>();
    const open = [start];
    for (let at = open.pop(); at; at = open.pop()) {
      for (const next of to.get(at) ?? []) {
        if (!seen.has(next)) open.push(next);
        seen.add(next);
      }
    }
    return seen;
  };
  const reach = new Map([...to.keys()].map((file) => [file, reached(file)]));
  const found = [...reach].filter(([file, seen]) => seen.has(file)).map(([file, seen]) =>
    [...seen].filter((other) => reach.get(other)?.has(file)).sort()
  );
  return [...new Map(found.map((files) => [files.join(), files])).values()];
}

const top = (path: string) => path.split("/")[0]!;
const OURS = new Set(["server", "agent", "shared", "templates", "deploy", "tests"]);
const MAY: Record<string, string[]> = {
  shared: ["shared"],
  agent: ["agent", "shared"],
  templates: ["templates", "shared"],
  server: ["server", "shared", "templates"],
  deploy: ["deploy"],
};

/** What is wrong with an import, or nothing. */
export function offence({ from, to }: Pick<Arrow, "from" | "to">): string | undefined {
  const folder = top(from);
  // Installers are handed out from inside the server, and the agent carries its own unit; their text is no code of ours.
  const texts: Record<string, RegExp> = { server: /\.(sh|ps1)$/, agent: /\.service$/ };
  const isText = /^deploy\/[^/]+$/.test(to) && texts[folder]?.test(to);
  if (OURS.has(top(to)) && !isText && !MAY[folder]!.includes(top(to))) {
    return `${folder} may not import ${top(to)}`;
  }
  if (folder === "agent" && /(^|:|\/)(hono|kysely)([@/]|$)/.test(to)) {
    return "the agent has no web server and no database";
  }
  const subject = folder === "server" && SUBJECTS.includes(from.split("/")[1]!);
  if (subject && /(^|:|\/)hono([@/]|$)/.test(to)) return "a subject never sees Hono";
  if (subject && /^server\/(web|agent_api|app|serve|main|open|upkeep)\b/.test(to)) {
    return "a subject does not look up";
  }
  if (subject && top(to) === "templates") return "a subject never sees a template";
  if (folder === "server" && top(to) === "templates" && !from.startsWith("server/web/")) {
    return "only web/ draws";
  }
  return undefined;
}

Deno.test("every import goes the way that ARCHITECTURE.md allows", async () => {
  const all = await arrows();
  assert.ok(all.length > 300, `only ${all.length} imports were seen`);
  const wrong = all.flatMap((arrow) => {
    const why = offence(arrow);
    return why ? [`${arrow.from} → ${arrow.to}: ${why}`] : [];
  });
  assert.deepEqual(wrong, []);
});

Deno.test("no files import values from each other in a circle", async () => {
  assert.deepEqual(cycles(await arrows()), []);
});

Deno.test("a circle is seen, also a long one, and one of types is none", () => {
  const arrow = (from: string, to: string, isType = false) => ({ from, to, isType });
  const chain = [arrow("a", "b"), arrow("b", "c"), arrow("d", "a")];
  assert.deepEqual(cycles(chain), []);
  assert.deepEqual(cycles([...chain, arrow("c", "a")]), [["a", "b", "c"]]);
  assert.deepEqual(cycles([...chain, arrow("c", "a", true)]), []);
  assert.deepEqual(cycles([arrow("a", "a")]), [["a"]]);
  assert.ok(isTypeOnly('import type { A } from "./a.ts";', "./a.ts"));
  assert.ok(isTypeOnly('import { type A, type B } from "./a.ts";', "./a.ts"));
  assert.ok(!isTypeOnly('import { type A, B } from "./a.ts";', "./a.ts"));
  assert.ok(!isTypeOnly('import type { A } from "./a.ts";\nexport { b } from "./a.ts";', "./a.ts"));
  assert.ok(!isTypeOnly('import "./a.ts";', "./a.ts"));
});

Deno.test("a page's file exports its routes and nothing else", async () => {
  const pages = await Promise.all(
    (await sourceFiles("server/web/pages")).map(async (path) =>
      [path, await Deno.readTextFile(ROOT + path)] as const
    ),
  );
  const exported = (text: string) =>
    [...text.matchAll(/^export (?:async )?\w+ (\w+)/gm)].map(([, name]) => name!);
  const withRoutes = pages.filter(([, text]) => /^export const \w+Routes\b/m.test(text));
  assert.ok(withRoutes.length > 10);
  for (const [path, text] of withRoutes) {
    assert.deepEqual(exported(text).filter((name) => !name.endsWith("Routes")), [], path);
  }
});

Deno.test("the import rule sees what is forbidden", () => {
  for (
    const [from, to] of [
      ["agent/main.ts", "server/main.ts"],
      ["agent/main.ts", "npm:/kysely@0.29.9"],
      ["shared/job.ts", "server/server.ts"],
      ["server/jobs/start.ts", "npm:/hono@4.13.19"],
      ["server/jobs/start.ts", "server/web/routes.ts"],
      ["server/jobs/start.ts", "templates/layout.tsx"],
      ["templates/layout.tsx", "server/server.ts"],
      ["server/main.ts", "tests/support/cast.ts"],
      ["deploy/demo.ts", "server/main.ts"],
    ]
  ) assert.ok(offence({ from: from!, to: to! }), `${from} → ${to}`);
});
