// What must hold after every fault, whatever it was: the seven standing oracles. Each is noted with what it found; one that has
// nothing to look at says so.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type RealRestic, resticByHand } from "./restic.ts";

/** What a test has to show. Only the database is always there. */
export interface Evidence {
  /** The server's data folder; its program may be running. */
  dataDir: string;
  /** Jobs that a test leaves open on purpose. */
  open?: string[];
  repositories?: Repository[];
  /** What wrote down each start of a restic with its job. */
  counters?: StartCounter[];
  canaries?: Canaries;
  memory?: Memory[];
}

export interface Repository {
  /** As the server has it. */
  url: string;
  /** The ids of all snapshots that it holds, or held until a forget. */
  ids(): Promise<Iterable<string>>;
}

export interface StartCounter {
  begun: { verb: string; jobId: string }[];
}

export interface Canaries {
  /** By name. */
  secrets: Record<string, string>;
  /** All that anybody can read, by where it was found. */
  places: Record<string, string>;
}

/** Resident memory of a process in MiB. */
export interface Memory {
  name: string;
  before: number;
  after: number;
}

/** `forgotten`: what it held before a forget. */
export function realRepository(
  restic: RealRestic,
  url: string,
  password?: string,
  forgotten: string[] = [],
): Repository {
  return {
    url,
    async ids() {
      const text = await resticByHand(restic, url, ["snapshots", "--json", "--no-lock"], password);
      const listed = JSON.parse(text) as { id: string }[] | null ?? [];
      return [...forgotten, ...listed.map(({ id }) => id)];
    },
  };
}

/** A repository that a fake restic pretends. */
export function fakeRepository(url: string, ids: Iterable<string>): Repository {
  return { url, ids: () => Promise.resolve(ids) };
}

type Finding = { found: string; faults?: string[] };

/** Looks at all seven, notes what each found, and rejects with every fault. */
export async function sevenOracles(
  evidence: Evidence,
  see: (text: string) => void,
): Promise<void> {
  const faults: string[] = [];
  const noted: string[] = [];
  using database = openToRead(evidence.dataDir);
  const all: [name: string, look: () => Finding | Promise<Finding>][] = [
    ["i", () => jobsHaveEnded(database, evidence)],
    ["ii", () => succeededIsListed(database, evidence)],
    ["iii", () => startedOnce(evidence)],
    ["iv", () => linesHaveNoGap(database)],
    ["v", () => noCanary(evidence)],
    ["vi", () => memoryIsBack(evidence)],
    ["vii", () => databaseIsWhole(database)],
  ];
  for (const [name, look] of all) {
    const finding = await look();
    noted.push(`(${name}) ${finding.found}`);
    faults.push(...(finding.faults ?? []).map((each) => `(${name}) ${each}`));
  }
  see(`oracles: ${noted.join("; ")}`);
  assert.deepEqual(faults, []);
}

function openToRead(dataDir: string): DatabaseSync & Disposable {
  const database = new DatabaseSync(join(dataDir, "restic-manager.db"), { readOnly: true });
  return Object.assign(database, { [Symbol.dispose]: () => database.close() });
}

function jobsHaveEnded(database: DatabaseSync, { open = [] }: Evidence): Finding {
  const rows = database.prepare("select id, kind, status from jobs").all();
  const left = rows.filter(({ id, status }) =>
    (status === "queued" || status === "running") && !open.includes(String(id))
  );
  return {
    found: `${rows.length} jobs, ${left.length} open`,
    faults: left.map(({ id, kind, status }) => `the ${kind} ${id} is still ${status}`),
  };
}

async function succeededIsListed(
  database: DatabaseSync,
  { repositories = [] }: Evidence,
): Promise<Finding> {
  const rows = database.prepare(
    `select jobs.id, jobs.snapshot_id, repositories.url from jobs join repositories on repositories.id = repository_id
     where kind = 'backup' and status = 'succeeded'`,
  ).all();
  if (rows.length === 0) return { found: "no backup succeeded" };
  if (repositories.length === 0) {
    return { found: `${rows.length} succeeded; there is no repository to ask` };
  }
  const faults: string[] = [];
  let [asked, other] = [0, 0];
  const held = new Map<string, Set<string>>();
  for (const { url, ids } of repositories) held.set(url, new Set(await ids()));
  for (const { id, snapshot_id, url } of rows) {
    const ids = held.get(String(url));
    if (!ids) other++;
    else if (++asked && !ids.has(String(snapshot_id))) {
      faults.push(`the backup ${id} succeeded and its snapshot ${snapshot_id} is not listed`);
    }
  }
  const elsewhere = other ? `, ${other} in repositories that are not asked` : "";
  return { found: `${asked} succeeded backups held against the repository${elsewhere}`, faults };
}

/** Verbs that a job starts once; it lists, unlocks and forgets as often as it needs. */
const ONCE = ["backup", "init", "prune", "check"];

function startedOnce({ counters = [] }: Evidence): Finding {
  if (counters.length === 0) return { found: "nothing counted the starts of restic" };
  const starts = new Set<string>();
  const again = new Set<string>();
  const begun = new Set<string>();
  // What found the repository locked is begun again after an unlock: nothing had been done.
  const unlocked = new Set<string>();
  let repeats = 0;
  for (const { verb, jobId } of counters.flatMap(({ begun }) => begun)) {
    const what = `the ${verb} of job ${jobId} was started again`;
    if (ONCE.includes(verb) && starts.has(what)) unlocked.has(jobId) ? repeats++ : again.add(what);
    if (ONCE.includes(verb)) {
      starts.add(what);
      begun.add(jobId);
    } else if (verb === "unlock" && begun.has(jobId)) unlocked.add(jobId);
  }
  const words = repeats > 0 ? `, ${repeats} repeats because of a lock` : "";
  return { found: `${starts.size} starts, each once${words}`, faults: [...again] };
}

function linesHaveNoGap(database: DatabaseSync): Finding {
  // The key of the table keeps a number from coming twice. What was cut or removed by age is told in the job's row.
  const rows = database.prepare(
    `select id, count(line) as lines, min(line) as first, max(line) as last, lines_cut from jobs
     join job_lines on job_number = number where lines_removed_at is null group by number`,
  ).all() as { id: string; lines: number; first: number; last: number; lines_cut: number }[];
  const broken = rows.filter(({ lines, first, last, lines_cut }) =>
    lines_cut === 0 && (first !== 1 || last !== lines)
  );
  const lines = rows.reduce((sum, each) => sum + each.lines, 0);
  return {
    found: `${lines} lines of ${rows.length} jobs, numbered without a gap`,
    faults: broken.map((each) =>
      `the job ${each.id} has ${each.lines} lines numbered ${each.first} to ${each.last}`
    ),
  };
}

/** As it is, percent-encoded, in JSON, in base64. */
function forms(secret: string): string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), btoa(secret)];
}

function noCanary({ canaries }: Evidence): Finding {
  if (!canaries) return { found: "no canary was planted" };
  const secrets = Object.entries(canaries.secrets);
  const places = Object.entries(canaries.places);
  const faults = places.flatMap(([where, text]) =>
    secrets.filter(([, secret]) => forms(secret).some((form) => text.includes(form)))
      .map(([name]) => `${name} is in ${where}`)
  );
  return { found: `${secrets.length} canaries in none of ${places.length} places`, faults };
}

/** What is not given back of memory, as a share of what was there before. */
const MEMORY_GROWTH = 1.2;

function memoryIsBack({ memory = [] }: Evidence): Finding {
  if (memory.length === 0) return { found: "no process of its own to measure" };
  const words = memory.map(({ name, before, after }) =>
    `${name} ${Math.round(before)} → ${Math.round(after)} MiB`
  );
  const grown = memory.filter(({ before, after }) => after > before * MEMORY_GROWTH);
  return {
    found: words.join(", "),
    faults: grown.map(({ name, before, after }) =>
      `${name} has ${Math.round(after)} MiB, before it had ${Math.round(before)}`
    ),
  };
}

function databaseIsWhole(database: DatabaseSync): Finding {
  const integrity = database.prepare("pragma integrity_check").all().map((row) =>
    String(Object.values(row)[0])
  );
  const foreign = database.prepare("pragma foreign_key_check").all();
  return {
    found: `integrity ${integrity[0]}, ${foreign.length} broken references`,
    faults: [
      ...integrity.filter((text) => text !== "ok"),
      ...foreign.map((row) => `a row of ${row.table} points at nothing in ${row.parent}`),
    ],
  };
}
