// The searches of all people: a few run at once, some are kept for a while for those who asked. Nothing of them is in the database.
import { messageOf } from "../../shared/log.ts";
import { patternProblem } from "../../shared/find.ts";
import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { runSearch } from "./run_search.ts";
import { Search, type SearchInput } from "./search.ts";
import { SEARCH_SNAPSHOTS, searchTargets } from "./search_targets.ts";

const RUNNING = 5;
const RUNNING_OF_ONE = 2;
const KEPT = 20;
const KEPT_MS = 15 * 60_000;
/** A search as a whole. */
const WHOLE_MS = 20 * 60_000;
/** A page that waits and is looked at by nobody for so long was left. */
const LEFT_MS = 30_000;

interface Entry {
  search: Search;
  at: number;
  /** How many look on just now. */
  lookers: number;
  timer: number | undefined;
}

export class Searches {
  /** By what was asked; one that is kept for nobody by its id. */
  readonly #all = new Map<string, Entry>();

  /** `elapsed`: milliseconds on a clock that never jumps. */
  constructor(private readonly elapsed: () => number) {}

  get running(): number {
    return [...this.#all.values()].filter(({ search }) => !search.ended).length;
  }

  /** The one that this person asked for in the same words, unless it is too old. */
  find(ownerId: string, input: SearchInput): Search | undefined {
    this.#drop();
    return this.#all.get(keyOf(ownerId, input))?.search;
  }

  /** One of his own that nobody looks at just now makes room. Throws too_many. */
  refuseTooMany(ownerId: string): void {
    const running = [...this.#all.values()]
      .filter(({ search }) => !search.ended && !search.signal.aborted);
    const own = running.filter(({ search }) => search.ownerId === ownerId);
    const left = own.find(({ timer }) => timer !== undefined);
    if (own.length >= RUNNING_OF_ONE && left) {
      left.search.stop("stopped");
      return this.refuseTooMany(ownerId);
    }
    if (running.length < RUNNING && own.length < RUNNING_OF_ONE) return;
    const error = new AppError(
      "too_many",
      own.length < RUNNING_OF_ONE
        ? "Too many searches are running at once. Try again in a moment."
        : "Two searches of yours are running already: stop one of them first, or wait for it.",
    );
    error.retryAfter = 5;
    throw error;
  }

  /** In the place of one that was asked for in the same words. With a signal it is for nobody else, and the signal says how long. */
  keep(search: Search, signal?: AbortSignal): void {
    const key = signal ? search.id : keyOf(search.ownerId, search.input);
    const before = this.#all.get(key);
    if (before) this.forget(before.search);
    this.#all.set(key, { search, at: this.elapsed(), lookers: 0, timer: undefined });
    this.#drop();
    if (!signal) this.look(search);
  }

  /** Stops it too. */
  forget(search: Search): void {
    const found = this.#entryOf(search);
    if (!found) return;
    const [key, entry] = found;
    clearTimeout(entry.timer);
    search.stop("stopped");
    this.#all.delete(key);
  }

  /** Somebody looks at it now, or until the signal. */
  look(search: Search, signal?: AbortSignal): void {
    const entry = this.#entryOf(search)?.[1];
    if (!entry || search.ended) return;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    if (signal && !signal.aborted) {
      entry.lookers++;
      signal.addEventListener("abort", () => {
        entry.lookers--;
        this.look(search);
      }, { once: true });
    } else if (entry.lookers === 0) {
      entry.timer = setTimeout(() => search.stop("stopped"), LEFT_MS);
    }
  }

  /** It has ended: nothing waits for it. */
  rest(search: Search, isForNobody: boolean): void {
    clearTimeout(this.#entryOf(search)?.[1].timer);
    if (isForNobody) this.forget(search);
  }

  #entryOf(search: Search): [string, Entry] | undefined {
    return [...this.#all].find(([, entry]) => entry.search === search);
  }

  #drop(): void {
    for (const [key, { search, at }] of this.#all) {
      const isOld = this.elapsed() - at > KEPT_MS;
      if (search.ended && (isOld || this.#all.size > KEPT)) this.#all.delete(key);
    }
  }
}

/** One that runs is not another's, nor one of other words. */
function keyOf(ownerId: string, input: SearchInput): string {
  const { pattern, mode, ignore_case, newer, older, min_size, max_size, host, repository } = input;
  return JSON.stringify(
    [ownerId, pattern, mode, ignore_case, newer, older, min_size, max_size, host, repository],
  );
}

/**
 * Begins a search, which is kept for its person; it ends by itself when nobody looks at it. With a signal it is the signal alone that ends it, and it
 * is kept for nobody. Throws invalid (field pattern), forbidden, not_found and too_many.
 */
export async function startSearch(
  server: Server,
  actor: Actor,
  input: SearchInput,
  signal?: AbortSignal,
): Promise<Search> {
  const problem = patternProblem(input);
  if (problem) throw new AppError("invalid", `pattern ${problem}.`, "pattern");
  const ownerId = actor.id ?? "";
  const { searches } = server;
  searches.refuseTooMany(ownerId);
  const { snapshots, hasMore } = await searchTargets(server, actor, input);
  searches.refuseTooMany(ownerId);
  const search = new Search(
    ownerId,
    input,
    snapshots,
    ({ id }) => server.events.publish({ type: "search", id }),
  );
  if (hasMore) noteOlder(search);
  // Counted from here on, so that nobody comes in between.
  searches.keep(search, signal);
  try {
    await audit(server, actor, search);
  } catch (error) {
    searches.forget(search);
    search.end();
    throw error;
  }
  run(server, search, signal);
  return search;
}

function noteOlder(search: Search): void {
  search.notSearched.push({
    repository_id: search.input.repository ?? "",
    repository: "",
    snapshots: 0,
    why:
      `only the newest ${SEARCH_SNAPSHOTS} snapshots are searched at once: search a host or a repository for the older ones`,
  });
}

async function audit(server: Server, actor: Actor, { input, targets }: Search): Promise<void> {
  const { pattern, mode, host, repository } = input;
  await change(server, actor, ({ audit }) =>
    audit({
      action: "snapshot.searched",
      ...(repository
        ? {
          target: { kind: "repository", id: repository, name: targets[0]?.repository_name ?? null },
        }
        : {}),
      detail: {
        pattern: pattern.slice(0, 200),
        mode,
        ...(host ? { host: host.slice(0, 255) } : {}),
        snapshots: targets.length,
      },
    }));
}

function run(server: Server, search: Search, signal?: AbortSignal): void {
  const stop = () => search.stop("stopped");
  const all = [server.closing, ...(signal ? [signal] : [])];
  for (const each of all) {
    each.addEventListener("abort", stop, { once: true });
    if (each.aborted) stop();
  }
  const timer = setTimeout(() => search.stop("timed_out"), WHOLE_MS);
  runSearch(server, search).catch((error) => {
    search.noteNotSearched({
      repository_id: "",
      repository: "",
      snapshots: 0,
      why: "the server failed. Why is in its log",
    });
    server.log.error(`a search: ${messageOf(error)}`);
  }).finally(() => {
    clearTimeout(timer);
    for (const each of all) each.removeEventListener("abort", stop);
    server.searches.rest(search, signal !== undefined);
    search.end();
  });
}
