// Which repository is at the address: the id that restic gave it when it was made. Before anything exclusive it is read and
// compared, since another repository at the same address (a disk that is not mounted, a restored server) must not be pruned
// or forgotten in the belief that it is the old one.
import { ResticId } from "../../shared/restic_id.ts";
import type { ResticContext, RunContext } from "./context.ts";
import type { JobContext } from "../jobs/context.ts";
import { REPOSITORY_CHANGED } from "../../shared/job.ts";
import { parseObject } from "./errors.ts";
import { failed, type Outcome } from "./outcome.ts";
import { runRestic } from "./run.ts";

type Opened = NonNullable<Outcome["opened"]>;

/** Asks restic, which takes no lock for it and writes nothing. All versions print the config as JSON. */
export async function readRepositoryId(
  context: RunContext,
): Promise<{ opened?: Opened; failure?: Outcome }> {
  let text = "";
  const run = await runRestic(context, {
    args: ["cat", "config", "--no-lock"],
    wholeMs: context.timeouts.lookMs,
    onOut: (line) => text = `${text}${line}`.slice(0, 65_536),
  });
  if (run.failure) return { failure: run.failure };
  return openedAs(context, parseObject(text)?.id);
}

function openedAs(context: ResticContext, id: unknown): { opened?: Opened } {
  const { success, data } = ResticId.safeParse(id);
  return success ? { opened: { restic_id: data, address: context.url.normalised } } : {};
}

/** Does the work only where the repository is the one that the order is about, and reports which one it is. */
export async function onSameRepository(
  job: JobContext,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { opened, failure } = await readRepositoryId(job);
  if (failure) return failure;
  return otherThanOrdered(job, opened) ?? { ...await work(), ...(opened ? { opened } : {}) };
}

/** The end of a job that found another repository than the one it was ordered for; undefined when it is the same. */
export function otherThanOrdered(job: JobContext, opened: Opened | undefined): Outcome | undefined {
  const expected = job.order.restic_id;
  if (!expected || !opened || opened.restic_id === expected) return undefined;
  const [now, before] = [opened.restic_id, expected].map((id) => id.slice(0, 8));
  const reason =
    `Another repository than before is at ${job.url.url}: its id is ${now} and was ${before}. Nothing was done to it; say on the repository's page which one is right.`;
  return { ...failed(REPOSITORY_CHANGED, reason, null), opened };
}

/**
 * The id without asking again: every restic, once it has opened a repository, touches the folder of that name in its
 * cache. Call it before the run; what it returns tells afterwards, where exactly one was touched.
 */
export function watchOpened(context: ResticContext): () => { opened?: Opened } {
  const before = folders(context.cacheDir);
  return () => {
    const touched = [...folders(context.cacheDir)].filter(([name, at]) => before.get(name) !== at);
    return touched.length === 1 ? openedAs(context, touched[0]![0]) : {};
  };
}

function folders(cacheDir: string): Map<string, number | undefined> {
  try {
    const names = [...Deno.readDirSync(cacheDir)].filter(({ name }) =>
      ResticId.safeParse(name).success
    );
    return new Map(
      names.map(({ name }) => [name, Deno.statSync(`${cacheDir}/${name}`).mtime?.getTime()]),
    );
  } catch {
    // No cache folder yet: restic makes it.
    return new Map();
  }
}
