// Who may import whom (ARCHITECTURE.md), read from the module graph itself.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** In their order: a subject imports those before it (ARCHITECTURE.md); types may come from anywhere. */
const SUBJECTS = [
  "audit",
  "users",
  "quotas",
  "repositories",
  "hooks",
  "schedules",
  "source_groups",
  "hosts",
  "plan",
  "jobs",
  "maintenance",
  "retention",
  "snapshots",
  "restores",
  "enrolment",
  "pending_hosts",
  "job_kinds",
  // Nobody's neighbour.
  "downloads",
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
export function offence(
  { from, to, isType = false }: Omit<Arrow, "isType"> & Partial<Arrow>,
): string | undefined {
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
  if (subject && /^server\/(web|agent_api|app|serve|main|open|tasks)\b/.test(to)) {
    return "a subject does not look up";
  }
  const [before, after] = [from, to].map((path) => SUBJECTS.indexOf(path.split("/")[1]!));
  if (subject && to.startsWith("server/") && !isType && after! > before!) {
    return `${SUBJECTS[before!]} comes before ${SUBJECTS[after!]}`;
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

Deno.test("who speaks to browsers or agents, and the clock, leave the database to the subjects", async () => {
  const files = [
    ...(await Promise.all(["server/web", "server/agent_api"].map(sourceFiles))).flat(),
    "server/tasks.ts",
  ];
  const sql = /\.(selectFrom|insertInto|updateTable|deleteFrom|raw)\(|\bsql[`.<]/;
  const found = await Promise.all(files.map(async (path) => {
    const text = await Deno.readTextFile(ROOT + path);
    return sql.test(text) ? [path] : [];
  }));
  assert.ok(files.length > 60);
  assert.ok(sql.test("await db.selectFrom('a')") && sql.test("sql<number>`x`"));
  assert.deepEqual(found.flat(), []);
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

Deno.test("no test makes the server's app but where each of its answers is held against its schema", async () => {
  const makers = /from "[^"]*\/server\/(?:app|serve)\.ts"/;
  const tests = (await sourceFiles("tests")).filter((path) =>
    path !== "tests/architecture_test.ts"
  );
  const found = await Promise.all(tests.map(async (path) => {
    const statements = (await Deno.readTextFile(ROOT + path)).split(";\n");
    return statements.some((each) => makers.test(each)) ? [path] : [];
  }));
  assert.deepEqual(found.flat().sort(), [
    "tests/support/checked_app.ts",
    "tests/support/start_server.ts",
  ]);
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
      ["server/jobs/start.ts", "server/maintenance/start.ts"],
      ["server/repositories/create.ts", "server/maintenance/change.ts"],
      ["server/hosts/find.ts", "server/plan/push.ts"],
      ["server/main.ts", "tests/support/cast.ts"],
      ["deploy/demo.ts", "server/main.ts"],
    ]
  ) assert.ok(offence({ from: from!, to: to! }), `${from} → ${to}`);
  const upwards = { from: "server/jobs/start.ts", to: "server/maintenance/start.ts" };
  assert.equal(offence({ ...upwards, isType: true }), undefined);
  assert.equal(offence({ from: upwards.to, to: upwards.from }), undefined);
});

/**
 * Who makes words of problems: pages and the API, and the few that say one aloud (a refusal, a line of the log). What decides looks
 * at codes.
 */
const SPEAKERS = ["server/hosts/skew.ts", "server/maintenance/start.ts"];

Deno.test("only who speaks to people makes words of problems", async () => {
  const users = (await arrows()).filter(({ to }) => to === "shared/problem_words.ts")
    .map(({ from }) => from);
  assert.ok(users.length > 3, users.join());
  assert.deepEqual(
    users.filter((from) =>
      !from.startsWith("templates/") && !from.startsWith("server/web/api/") &&
      !SPEAKERS.includes(from)
    ),
    [],
  );
});

const READS =
  "includes|startsWith|endsWith|indexOf|lastIndexOf|search|match|matchAll|split|replace(?:All)?";
/** Names that hold what is written for people. */
const SENTENCE = "(?:reason|message|problem|sentence|cause|warning|because|why|words)s?";
const SEARCHES = [
  // .includes("is locked by"): two words are no code.
  /\.(?:includes|startsWith|endsWith|indexOf|lastIndexOf|search)\(\s*["'`][^"'`]*\p{L} \p{L}/u,
  // reason === "The disk is full"
  /[!=]==? *["'`]\p{L}+,? \p{L}/u,
  /case ["'`]\p{L}+,? \p{L}+/u,
  // job.reason?.match(…), problems[0].startsWith(…), messageOf(found).split(…)
  new RegExp(
    `(?:\\b|_|[a-z](?=[A-Z]))${SENTENCE}(?:Of|InWords)?(?:\\([^()]*\\)|\\[\\w+\\])?[?!]?\\.(?:${READS})\\(`,
    "i",
  ),
  // /locked/.test(job.reason)
  new RegExp(`\\.(?:test|exec)\\([^()]*${SENTENCE}(?:Of\\([^()]*\\))?[!]?\\)`, "i"),
];

/** Without comments, and each chain of calls in one line. */
function searchesIn(source: string): string[] {
  const bare = source.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/\n\s*(?=[?]?\.)/g, "");
  return bare.split("\n").filter((line) => SEARCHES.some((each) => each.test(line)))
    .map((line) => line.trim());
}

/** What reads texts all the same, and whose they are. */
const READERS: { line: string; why: string }[] = [
  {
    line: 'error.message.startsWith("unable to open database file")',
    why: "SQLite's own words where it gives no code",
  },
  {
    line: 'why.includes("corrupted migrations")',
    why: "Kysely's own words, which has no code",
  },
  {
    line: 'message.replaceAll(/\\s+/g, " ")',
    why: "SQLite's own words are put into one line",
  },
  {
    line: "error.message.startsWith(error.field)",
    why: "an input's sentence begins with its field's name, which is another one here",
  },
  {
    line: "message.replace(field, place)",
    why: "the same: a line of a list has a number that people count",
  },
  {
    line: 'error.message.replace(/^cron /, "It ")',
    why: "the same: the field stands above",
  },
  {
    line: 'reason.replace(/[^\\x20-\\x7e]/g, "?")',
    why: "a WebSocket closes with plain letters",
  },
  {
    line: "fleetInWords(frame.fleet).replace(",
    why: "a page's title has no full stop",
  },
  {
    line: "message.startsWith(`${name} `) ? message.slice(",
    why: "the same: the field stands above",
  },
];

Deno.test("no code of the server or of a page searches a sentence: who decides, decides by a code", async () => {
  const files = (await Promise.all(["server", "templates"].map(sourceFiles))).flat();
  assert.ok(files.length > 200);
  const found = (await Promise.all(
    files.map(async (file) =>
      searchesIn(await Deno.readTextFile(ROOT + file)).map((line) => `${file}: ${line}`)
    ),
  )).flat();
  const isKnown = (text: string) => READERS.some(({ line }) => text.includes(line));
  assert.deepEqual(found.filter((text) => !isKnown(text)), []);
  const gone = READERS.filter(({ line }) => !found.some((text) => text.includes(line)));
  assert.deepEqual(gone, [], "these are read no more");
});

Deno.test("the search for searches sees them, and leaves codes and what people type alone", () => {
  for (
    const line of [
      'const isLocked = host.problems.some((problem) => problem.includes("is locked by"));',
      'list.some((p) => p.includes("is locked by"))',
      'host.problems.some((each) => each\n    .startsWith("joined again"))',
      "const [state, cause] = first.reason.split(/: (.+)/s);",
      "if (/locked/.test(job.reason)) return;",
      "if (/locked/.exec(messageOf(problem))) return;",
      "if (job.reason?.match(/locked/)) return;",
      "task.off_because.startsWith(prefix)",
      "task.offBecause.startsWith(prefix)",
      "messageOf(found).includes(part)",
      "host.problems[0].endsWith(part)",
      "row.last_reason!.indexOf(part)",
      'if (text === "Nothing was saved") return;',
      'case "not backed up yet":',
      "deception.sentence.replace(/^must not mix/, 'mixes')",
      'errors.hostname?.startsWith("A join command")',
    ]
  ) assert.notDeepEqual(searchesIn(line), [], line);
  for (
    const line of [
      'if (job.reason_code === "locked") return;',
      'problems.some(({ code }) => code === "on_hold")',
      "accepted.includes(each.problem)",
      'if (path.startsWith("/etc/")) return;',
      '// reason.includes("is locked by") was once read here',
      'name.split(", ")',
      'throw new AppError("conflict", "This is so. Use another.");',
      'const text = problems.map(messageOf).join("; ");',
    ]
  ) assert.deepEqual(searchesIn(line), [], line);
});
