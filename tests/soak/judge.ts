// After a soak: everything is mended, everything ends, and then it is looked at what is there.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../support/eventually.ts";
import { allArguments } from "../support/proc.ts";
import { fakeRepository, type Memory, realRepository, sevenOracles } from "../support/oracles.ts";
import { restics } from "../support/restic.ts";
import { textsBelow } from "../support/world.ts";
import { CANARY, SECRETS, type World } from "./world.ts";

/** Long enough for the longest fake backup, a lock that is asked for again, and catch-up runs within two minutes. */
const END_WITHIN_MS = 240_000;
/** Below this a process has not yet taken what it needs. */
const WARM_MS = 60_000;

/** Mends all, waits for the end of all jobs. Returns what did not come to its end. */
export async function settle(world: World): Promise<string[]> {
  await world.mendAll();
  world.note("all is mended");
  try {
    await world.allOnline();
    world.note("all are online");
    await world.pauseSchedules();
    await eventually("all jobs have ended", () => {
      const open = rows(world, "select kind from jobs where status in ('queued', 'running')");
      return open.length === 0 && rows(world, "select job_id from leases").length === 0;
    }, END_WITHIN_MS);
    world.note("all jobs have ended");
    world.sampleMemory();
    return [];
  } catch (error) {
    return [(error as Error).message, ...openWork(world)];
  }
}

function openWork(world: World): string[] {
  const jobs = rows(
    world,
    `select jobs.id, kind, status, name, cancel_requested_at, dispatched_at from jobs join hosts on hosts.id = host_id
     where status in ('queued', 'running')`,
  );
  const leases = rows(
    world,
    "select job_id, status, kind from leases join jobs on jobs.id = job_id",
  );
  return [...jobs, ...leases].map((row) => JSON.stringify(row));
}

// deno-lint-ignore no-explicit-any
function rows(world: World, query: string): any[] {
  const database = new DatabaseSync(join(world.fleet.dataDir, "restic-manager.db"), {
    readOnly: true,
  });
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

/** The seven oracles, and what a soak alone can see. Returns every fault. */
export async function judge(world: World): Promise<string[]> {
  const faults: string[] = [];
  const restic = restics.at(-1);
  const places = await textsOf(world);
  await sevenOracles({
    dataDir: world.fleet.dataDir,
    repositories: [
      fakeRepository(world.fakes.url, world.fakes.counted.ids),
      ...world.reals.map(({ url }) => realRepository(restic!, url, CANARY)),
    ],
    counters: [world.fakes, ...world.reals].map(({ counted }) => counted),
    canaries: { secrets: SECRETS, places },
    memory: memoryOf(world),
  }, (text) => world.note(text)).catch((error) => {
    faults.push((error as Error & { actual?: string[] }).actual?.join("\n") ?? error.message);
  });
  for (const { counted } of [world.fakes, ...world.reals]) faults.push(...counted.met);
  faults.push(...linesAreWhole(world), ...world.died, ...unhandled(world));
  return faults;
}

function memoryOf(world: World): Memory[] {
  const early = world.memory.filter(({ at }) => at > WARM_MS && at < 2 * WARM_MS);
  const last = world.memory.at(-1);
  if (early.length === 0 || !last || last.at < 2 * WARM_MS) return [];
  const most = (what: "server" | "agents") => Math.max(...early.map((each) => each[what]));
  return [
    { name: "server", before: most("server"), after: last.server },
    { name: "an agent, in the middle", before: most("agents"), after: last.agents },
  ];
}

/** What anybody may read: files, logs, arguments, pages. */
async function textsOf(world: World): Promise<Record<string, string>> {
  const texts = await textsBelow(world.fleet.dataDir);
  for (const host of world.hosts) {
    Object.assign(texts, await textsBelow(host.stateDir));
    Object.assign(texts, await textsBelow(join(world.fleet.folder, host.name, "config")));
  }
  world.programs.forEach(({ name, program }, n) =>
    texts[`log ${n} of ${name}`] = program.printed()
  );
  texts.arguments = allArguments().flatMap(({ args }) => args).join("\n");
  const pages = ["/", "/jobs", "/audit", "/repositories", "/api/audit.csv", "/api/hosts"];
  for (const page of [...pages, `/hosts/${world.hosts[0]!.id}`]) {
    const answer = await world.fleet.api("GET", page);
    texts[page] = typeof answer === "string" ? answer : JSON.stringify(answer);
  }
  return texts;
}

/** Of backups that succeeded, where nothing was cut and no disk was full: all lines that the fake printed, in order. */
function linesAreWhole(world: World): string[] {
  const { printed } = world.fakes.counted;
  const small = world.hosts.filter(({ disk }) => disk).map(({ id }) => `'${id}'`).join() || "''";
  const jobs = rows(
    world,
    `select id, number from jobs where kind = 'backup' and status = 'succeeded' and lines_cut = 0 and host_id not in (${small})`,
  ) as { id: string; number: number }[];
  const faults: string[] = [];
  let compared = 0;
  for (const { id, number } of jobs) {
    const wanted = printed.get(id);
    if (wanted === undefined) continue;
    compared++;
    const lines = rows(
      world,
      `select text from job_lines where job_number = ${number} and text glob 'line [0-9]*' order by line`,
    ) as { text: string }[];
    const isWhole = lines.length === wanted &&
      lines.every(({ text }, n) => text === `line ${n + 1}`);
    if (!isWhole) faults.push(`${id}: ${lines.length} of ${wanted} lines, or out of order`);
  }
  world.note(`the lines of ${compared} succeeded jobs are what their restic printed`);
  return faults;
}

/** An error that nobody caught. */
function unhandled(world: World): string[] {
  return world.programs.flatMap(({ name, program }) =>
    program.printed().split("\n").filter((line) => /unhandled|uncaught/i.test(line))
      .map((line) => `${name}: ${line}`)
  );
}

/** What there was, in a few lines. */
export function counts(world: World): string[] {
  const group = (query: string) =>
    rows(world, query).map(({ what, n }) => `${n} ${what}`).join(", ");
  const starts = [world.fakes, ...world.reals].flatMap(({ counted }) => counted.begun);
  const works = [world.fakes, ...world.reals].reduce((sum, { counted }) => sum + counted.works, 0);
  const counted = (isPerson: boolean) =>
    [...world.counts].filter(([what]) => what.startsWith("person") === isPerson).sort()
      .map(([what, n]) => `${n} ${what.replace("person: ", "")}`).join(", ");
  const last = world.memory.at(-1);
  const status = "select kind || ' ' || status as what, count(*) as n from jobs group by what";
  const reasons =
    `select reason_code as what, count(*) as n from jobs where status = 'failed' group by what`;
  return [
    `jobs      ${group(status)}`,
    `failed by ${group(reasons)}`,
    `faults    ${counted(false)}`,
    `people    ${counted(true)}`,
    `lines     ${rows(world, "select count(*) as n from job_lines")[0].n} stored`,
    `restic    ${starts.length} starts, ${works} of them of what must be alone`,
    `memory    server ${Math.round(last?.server ?? 0)} MiB, an agent ${
      Math.round(last?.agents ?? 0)
    } MiB`,
  ];
}
