// The agent's state folder: reads what is whole, puts aside what is damaged, and keeps in memory what the disk does not take
// until it does. Whatever is wrong with it, the agent goes on: a host that is not backed up is worse.
import { basename, join } from "node:path";
import { makePrivateDirectory, readIfThere, replaceFile } from "../files.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import { keptAs, putAside } from "./aside.ts";
import { Problems, PROBLEMS_FILE, StoredProblems } from "./problems.ts";

const RETRY_MS = 2000;
const FILES = "files";

export interface Damage {
  /** What was found and where it is kept, as the beginning of a sentence without its end. */
  what: string;
  aside: string | null;
}

export class StateFolder {
  readonly problems: Problems;
  /** name → what it should hold; in the order in which it was to be written. */
  readonly #waiting = new Map<string, string | Uint8Array>();
  /** Damaged files that are still in their place: they may not be overwritten. */
  readonly #inTheWay = new Set<string>();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #scratch: string | undefined;

  constructor(readonly path: string, private readonly log: Log) {
    this.problems = new Problems(log, (content) => this.write(PROBLEMS_FILE, content));
    const { value, damage } = this.read(PROBLEMS_FILE, jsonAs(StoredProblems));
    if (value) this.problems.adopt(value.events, isThere);
    if (damage) {
      this.problems.happened(`${damage.what}. What it told of is not known.`, damage.aside);
    }
  }

  /** What the file holds; nothing where there is none. One that cannot be used is put aside, and `damage` says so. */
  read<T>(name: string, parse: (bytes: Uint8Array) => T): { value?: T; damage?: Damage } {
    const path = join(this.path, name);
    try {
      const bytes = readIfThere(path);
      return bytes ? { value: parse(bytes) } : {};
    } catch (error) {
      return { damage: this.#setAside(path, error) };
    }
  }

  /** Puts aside one more file that is of no use without one that was damaged. */
  setAside(name: string): void {
    this.#setAside(join(this.path, name), undefined);
  }

  /** Replaces the file in one step. Never throws: what the disk does not take now is kept and tried again. */
  write(name: string, content: string | Uint8Array): void {
    this.#waiting.set(name, content);
    this.#flush();
  }

  /** The reason why the last write was not taken; `undefined` as soon as one is. Of files that are written by others too. */
  noteWritable(about: string, error: unknown): void {
    if (error === undefined) {
      this.problems.ends(about, `${this.path} can be written again (${about}).`);
      return;
    }
    this.problems.begins(
      "state_not_writable",
      about,
      `The agent's state folder ${this.path} cannot be written (${about}): ${
        reasonOf(error)
      }. The agent goes on and keeps in memory what should be there.`,
    );
  }

  /** A folder that can be written: one in the state folder, or while that takes nothing a private one for temporary files. */
  scratch(name: string): string {
    const folder = join(this.path, name);
    try {
      makePrivateDirectory(folder);
      probe(folder);
      return folder;
    } catch {
      return this.#scratch ??= Deno.makeTempDirSync({ prefix: "restic-manager-" });
    }
  }

  close(): void {
    this.#flush();
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (this.#scratch) {
      try {
        Deno.removeSync(this.#scratch, { recursive: true });
      } catch (error) {
        this.log.warn(`${this.#scratch} could not be removed: ${messageOf(error)}`);
      }
    }
  }

  #setAside(path: string, error: unknown): Damage {
    const why = error === undefined ? "is of no use" : damageOf(error);
    try {
      const aside = putAside(path);
      return { what: `${path} ${why}; ${keptAs(path, aside)}`, aside: aside ?? null };
    } catch (fault) {
      this.#inTheWay.add(basename(path));
      const what = `${path} ${why}; ${keptAs(path, undefined)}: ${messageOf(fault)}`;
      return { what, aside: null };
    }
  }

  /** In order, so that a key is on the disk before what it opens. */
  #flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      for (const [name, content] of this.#waiting) {
        const path = join(this.path, name);
        if (this.#inTheWay.has(name)) putAside(path);
        this.#inTheWay.delete(name);
        replaceFile(path, content);
        this.#waiting.delete(name);
      }
    } catch (error) {
      this.noteWritable(FILES, error);
      // Noting it is a write too, which may have set one.
      clearTimeout(this.#retry);
      if (!this.#isClosed) this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
      return;
    }
    this.noteWritable(FILES, undefined);
  }
}

/** Throws when the folder takes no file. */
export function probe(folder: string, bytes = 4096): void {
  const path = join(folder, `.probe-${crypto.randomUUID()}`);
  try {
    Deno.writeFileSync(path, new Uint8Array(bytes), { createNew: true, mode: 0o600 });
  } finally {
    try {
      Deno.removeSync(path);
    } catch {
      // It was never made.
    }
  }
}

interface Schema<T> {
  parse: (value: unknown) => T;
}

/** The reader of a file that holds JSON of this shape. */
export function jsonAs<T>(schema: Schema<T>): (bytes: Uint8Array) => T {
  return (bytes) => {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new NotWhole(bytes.length === 0 ? "is empty" : "is not JSON: it is cut or damaged");
    }
    try {
      return schema.parse(value);
    } catch {
      throw new NotWhole("is JSON of another shape than it should be");
    }
  };
}

/** What was read is not what was written here; the message continues the file's name. */
export class NotWhole extends Error {
  override name = "NotWhole";
}

function damageOf(error: unknown): string {
  return error instanceof NotWhole ? error.message : `cannot be read (${reasonOf(error)})`;
}

/** Without the path, which the sentence names already. */
export function reasonOf(error: unknown): string {
  return messageOf(error).replace(/: \w+ '.*$/s, "");
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
