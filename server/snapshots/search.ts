// One search for files over snapshots: what was found until now, and how far it is. It is in memory for the person who asked.
import type { FindCriteria } from "../../shared/find.ts";
import type { FindState, FoundFile, NotSearched } from "../../shared/shapes/find.ts";
import { newId } from "../../shared/new_id.ts";
import type { SearchedSnapshot } from "./search_targets.ts";

/** Of one search: matches, and the bytes that they take of the memory. */
export const SEARCH_MATCHES = 5000;
const SEARCH_BYTES = 3 * 1_048_576;

export interface SearchInput extends FindCriteria {
  /** A host's id, or the host name that the snapshots carry. */
  host?: string | undefined;
  repository?: string | undefined;
}

export type SearchEnd = "done" | "stopped" | "timed_out";

export class Search {
  readonly id = newId();
  readonly matches: FoundFile[] = [];
  readonly notSearched: NotSearched[] = [];
  /** Snapshots that were searched to their end. */
  readonly searched = new Set<string>();
  cut = false;
  ended: SearchEnd | undefined;
  readonly #abort = new AbortController();
  #bytes = 0;

  constructor(
    readonly ownerId: string,
    readonly input: SearchInput,
    /** The newest first. */
    readonly targets: readonly SearchedSnapshot[],
    private readonly onChange: (search: Search) => void,
  ) {}

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get state(): FindState {
    return {
      snapshots: this.targets.length,
      searched: this.searched.size,
      matches: this.matches.length,
      cut: this.cut,
      not_searched: this.notSearched,
    };
  }

  /** False when there is no room for it, nor for any other: the search is over then. */
  add(match: FoundFile): boolean {
    this.#bytes += 500 + match.path.length * 2;
    if (this.matches.length >= SEARCH_MATCHES || this.#bytes > SEARCH_BYTES) {
      this.cut = true;
      this.#abort.abort();
      return false;
    }
    this.matches.push(match);
    this.onChange(this);
    return true;
  }

  noteSearched(keys: string[]): void {
    for (const key of keys) this.searched.add(key);
    this.onChange(this);
  }

  noteNotSearched(not: NotSearched): void {
    this.notSearched.push(not);
    this.onChange(this);
  }

  /** Whoever asked wants no more, or it took too long. */
  stop(why: "stopped" | "timed_out"): void {
    if (this.ended) return;
    this.#abort.abort(why);
  }

  /** Called once when nothing runs for it any more. */
  end(): void {
    const { reason, aborted } = this.signal;
    this.ended = !aborted || this.cut ? "done" : reason === "timed_out" ? "timed_out" : "stopped";
    this.onChange(this);
  }
}
