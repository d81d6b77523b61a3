// Folders of snapshots that agents list, and files that they send for a preview: each is read once for all who wait for it, one at a time of each agent, and kept for a while in
// memory. Nothing of it is in the database.
import { StreamError } from "../agent_streams.ts";
import { AppError } from "../errors.ts";

/** All that is kept, and for how long; the newest is kept however large it is. */
const KEPT = { bytes: 16 * 1_048_576, ms: 15 * 60_000 };
/** How many are read at once, and how many may wait for that: what an agent sends is in memory while it is read. */
const READ_AT_ONCE = 3;
const WAITING = 32;
/** A failure is told to whoever comes to see, for so long. */
const FAILURE_MS = 60_000;
const FAILURES = 200;
const HOUR_MS = 3_600_000;
/** How many of those who opened something are remembered. */
const OPENED = 10_000;

/** Of which listing: another reader's is another one, since each is only what its agent says. */
export interface TreeKey {
  repositoryId: string;
  snapshot: string;
  path: string;
  readerId: string;
}

/** What is kept; `bytes` is what it takes of the memory. */
export interface Sized {
  readonly bytes: number;
}

type Read<T> = (signal: AbortSignal) => Promise<T>;

interface Loading<T> {
  key: TreeKey;
  waiters: number;
  abort: AbortController;
  result: Promise<T>;
  begin: () => void;
  isReading: boolean;
}

interface Kept<T> {
  repositoryId: string;
  listing: T;
  at: number;
}

export function textOfKey({ repositoryId, snapshot, path, readerId }: TreeKey): string {
  return JSON.stringify([repositoryId, snapshot, path, readerId]);
}

export class Trees<T extends Sized> {
  /** The one that was used last is last. */
  readonly #kept = new Map<string, Kept<T>>();
  readonly #loading = new Map<string, Loading<T>>();
  readonly #opened = new Map<string, number>();
  readonly #failures = new Map<string, { error: unknown; at: number }>();

  /** `elapsed`: milliseconds on a clock that never jumps. */
  constructor(private readonly elapsed: () => number, private readonly most = KEPT) {}

  /** What is kept takes so much. */
  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { listing }) => sum + listing.bytes, 0);
  }

  get(key: TreeKey): T | undefined {
    const text = textOfKey(key);
    const kept = this.#kept.get(text);
    if (!kept) return undefined;
    this.#kept.delete(text);
    if (this.elapsed() - kept.at > this.most.ms) return undefined;
    this.#kept.set(text, kept);
    return kept.listing;
  }

  /** Why it could not be read a moment ago: said once. */
  takeFailure(key: TreeKey): unknown {
    const text = textOfKey(key);
    const failure = this.#failures.get(text);
    this.#failures.delete(text);
    return failure && this.elapsed() - failure.at <= FAILURE_MS ? failure.error : undefined;
  }

  /** Notes that `who` opened it, once an hour: each look by itself would bury the rest of the audit. Throws what `note` throws. */
  async onceAnHour(who: string, note: () => Promise<unknown>): Promise<void> {
    const before = this.#opened.get(who);
    const now = this.elapsed();
    if (before !== undefined && now - before < HOUR_MS) return;
    if (this.#opened.size >= OPENED) this.#opened.clear();
    this.#opened.set(who, now);
    try {
      await note();
    } catch (error) {
      // What could not be noted is noted the next time.
      this.#opened.delete(who);
      throw error;
    }
  }

  isLoading(key: TreeKey): boolean {
    return this.#loading.has(textOfKey(key));
  }

  /**
   * The listing that is kept, is being read or is read now by `read`. Nobody who waits is held up by one who leaves (the signal); when all
   * have left, the reading ends. Throws what `read` throws, StreamError `given_up` after the signal, and too_many.
   */
  async load(key: TreeKey, read: Read<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw left();
    const kept = this.get(key);
    if (kept) return kept;
    const known = this.#loading.get(textOfKey(key));
    const loading = known && !known.abort.signal.aborted ? known : this.#begin(key, read);
    loading.waiters++;
    try {
      return await unlessAborted(loading.result, signal);
    } finally {
      if (--loading.waiters === 0) loading.abort.abort();
      // One that waits for its turn has nothing that would notice.
      if (loading.waiters === 0 && !loading.isReading) this.#end(textOfKey(key), loading);
    }
  }

  /** For a page that waits for nobody. `then` is called when there is a listing, or a failure, which is kept for the page. */
  keepLoading(
    key: TreeKey,
    read: Read<T>,
    { signal, then }: { signal: AbortSignal; then: () => void },
  ): void {
    this.load(key, read, signal).catch(() => {
      // What went wrong is kept; one who left wants nothing.
    }).finally(then);
  }

  /** The repository is gone. */
  forget(repositoryId: string): void {
    for (const [text, kept] of this.#kept) {
      if (kept.repositoryId === repositoryId) this.#kept.delete(text);
    }
    for (const [text, { key, abort }] of this.#loading) {
      if (key.repositoryId !== repositoryId) continue;
      abort.abort();
      this.#loading.delete(text);
    }
  }

  #begin(key: TreeKey, read: Read<T>): Loading<T> {
    if (this.#loading.size >= READ_AT_ONCE + WAITING) {
      const error = new AppError(
        "too_many",
        "Too many folders of snapshots are being read at once. Try again in a moment.",
      );
      error.retryAfter = 5;
      throw error;
    }
    const text = textOfKey(key);
    const abort = new AbortController();
    const turn = Promise.withResolvers<void>();
    const loading: Loading<T> = {
      key,
      waiters: 0,
      abort,
      begin: turn.resolve,
      isReading: false,
      result: turn.promise.then(() => read(abort.signal)),
    };
    loading.result.then(
      (listing) => this.#keep(text, { listing, repositoryId: key.repositoryId, loading }),
      (error) => this.#fail(text, { error, loading }),
    );
    this.#loading.set(text, loading);
    this.#next();
    return loading;
  }

  /** An agent reads one at a time, so that a person who clicks on starts no crowd of restics. */
  #next(): void {
    const reading = [...this.#loading.values()].filter(({ isReading }) => isReading);
    let free = READ_AT_ONCE - reading.length;
    const busy = new Set(reading.map(({ key }) => key.readerId));
    for (const loading of this.#loading.values()) {
      if (free <= 0) return;
      if (loading.isReading || busy.has(loading.key.readerId)) continue;
      loading.isReading = true;
      busy.add(loading.key.readerId);
      free--;
      loading.begin();
    }
  }

  #keep(text: string, { listing, repositoryId, loading }: {
    listing: T;
    repositoryId: string;
    loading: Loading<T>;
  }): void {
    const isWanted = this.#end(text, loading);
    if (!isWanted) return;
    this.#failures.delete(text);
    this.#kept.set(text, { listing, repositoryId, at: this.elapsed() });
    for (const [oldest, { at }] of this.#kept) {
      if (oldest === text) return;
      if (this.bytes <= this.most.bytes && this.elapsed() - at <= this.most.ms) return;
      this.#kept.delete(oldest);
    }
  }

  #fail(text: string, { error, loading }: { error: unknown; loading: Loading<T> }): void {
    if (!this.#end(text, loading) || loading.abort.signal.aborted) return;
    if (this.#failures.size >= FAILURES) this.#failures.clear();
    this.#failures.set(text, { error, at: this.elapsed() });
  }

  /** False when it is another's place by now. */
  #end(text: string, loading: Loading<T>): boolean {
    const isOwn = this.#loading.get(text) === loading;
    if (isOwn) this.#loading.delete(text);
    this.#next();
    return isOwn;
  }
}

async function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(left());
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

function left(): StreamError {
  return new StreamError("given_up", "its reader wants no more");
}
