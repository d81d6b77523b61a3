// A backup through the agent beside the same commands by hand: 20,000 files and 500 MB of noise, first and unchanged.
// The agent lists the snapshots after each backup, because a job only succeeds when its snapshot is listed; by hand it is
// measured with that second command and without it.
import { join } from "node:path";
import { Fleet, randomFiles } from "../support/programs.ts";
import { anyRestic } from "../support/restic.ts";
import { BENCH_FOLDER, processorIn, processorOf, quiet, sleep } from "./sides.ts";
import type { Row } from "./table.ts";

export const FILES = join(BENCH_FOLDER, "files");
const FOLDERS = 100;
const FILES_PER_FOLDER = 200;
const BYTES = 25_000;
export const PASSWORD = "secret-of-the-repository";

export interface Cost {
  wall: number;
  cpu: number;
}
interface HandCost {
  backup: Cost;
  list: Cost;
}
interface Side<T> extends AsyncDisposable {
  run(): Promise<T>;
}

let agentGoesFirst = false;

export async function benchBackup(): Promise<Row[]> {
  await makeFiles();
  await using agent = await throughAgent();
  await using hand = await byHand();
  agentGoesFirst = !agentGoesFirst;
  const rows: Row[] = [];
  for (const name of ["first", "unchanged second"]) {
    const before = agentGoesFirst ? await agent.run() : undefined;
    const { backup, list } = await hand.run();
    const through = before ?? await agent.run();
    const both = { wall: backup.wall + list.wall, cpu: backup.cpu + list.cpu };
    rows.push(...rowsOf(name, through, "by hand: backup, then snapshots", both));
    rows.push(...rowsOf(name, through, "by hand: backup alone", backup));
  }
  return rows;
}

function rowsOf(name: string, agent: Cost, limit: string, hand: Cost): Row[] {
  const row = (what: "wall" | "cpu", word: string, goal: string): Row => ({
    measure: `backup of 20,000 files, 500 MB, ${name} run: ${word}`,
    limit,
    goal,
    ratio: agent[what] / hand[what],
    detail: `${agent[what].toFixed(2)} against ${hand[what].toFixed(2)} s`,
  });
  return [row("wall", "wall", "≤ 1.03"), row("cpu", "CPU", "≤ 1.05")];
}

export async function makeFiles(): Promise<void> {
  const mark = join(FILES, "whole");
  if (await Deno.stat(mark).catch(() => undefined)) return;
  for (let n = 0; n < FOLDERS; n++) {
    await randomFiles(join(FILES, `folder-${n}`), FILES_PER_FOLDER, BYTES);
  }
  await Deno.writeTextFile(mark, "");
}

async function throughAgent(): Promise<Side<Cost>> {
  const fleet = await Fleet.start();
  const repository = {
    name: "bench",
    url: join(fleet.folder, "repository"),
    password: PASSWORD,
    is_new: true,
  };
  const host = await fleet.join("alpha", repository, [FILES], { RM_RESTIC: resticPath() });
  await fleet.repositoryReady(host);
  const { pid } = fleet.agent("alpha");
  const run = async (): Promise<Cost> => {
    await settle();
    const before = processorOf(pid);
    const job = await ended(fleet, await fleet.run(host));
    const wall = (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000;
    return { wall, cpu: processorOf(pid) - before };
  };
  return { run, [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose]() };
}

/** Asks rarely: two cores are busy with restic. */
export async function ended(fleet: Fleet, jobId: string) {
  for (;;) {
    await sleep(0.5);
    const job = await fleet.api("GET", `/api/jobs/${jobId}`);
    if (job.status === "succeeded") return job;
    if (job.finished_at) throw new Error(`The ${job.kind} ${job.status}: ${job.reason}`);
  }
}

export function byHandIn(repository: string, cache: string): Record<string, string> {
  return {
    PATH: Deno.env.get("PATH")!,
    HOME: Deno.env.get("HOME")!,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: PASSWORD,
    RESTIC_CACHE_DIR: cache,
    RESTIC_PROGRESS_FPS: "1",
  };
}

async function byHand(): Promise<Side<HandCost>> {
  const folder = await Deno.makeTempDir({ prefix: "rm-by-hand-" });
  const env = byHandIn(join(folder, "repository"), join(folder, "cache"));
  await restic(env, "init");
  await restic(env, "cat config");
  const run = async (): Promise<HandCost> => {
    await settle();
    const backup = await restic(env, `backup --json --host=alpha --tag=default -- '${FILES}'`);
    return { backup, list: await restic(env, "snapshots --json --host=alpha") };
  };
  return { run, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

export async function restic(env: Record<string, string>, command: string): Promise<Cost> {
  // The shell's own account holds the time of the child that it waited for.
  const script = `'${resticPath()}' ${command} > /dev/null && cat /proc/$$/stat`;
  const began = performance.now();
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", script],
    env,
    clearEnv: true,
    cwd: "/",
    stdin: "null",
  }).output();
  const wall = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`restic ${command} by hand ended with ${code}`);
  return { wall, cpu: processorIn(new TextDecoder().decode(stdout)) };
}

export function resticPath(): string {
  const path = anyRestic()?.path;
  if (!path) throw new Error("there is no restic");
  return path;
}

/** What the run before left to be written must not be paid by this one. */
export async function settle(): Promise<void> {
  await new Deno.Command("sync").output();
  await quiet();
}
