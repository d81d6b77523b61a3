// Restores into a folder that have begun and not come to their end, so that the same one may go on there and no other may.
import { createHash } from "node:crypto";
import { z } from "zod";
import type { RestoreOrder } from "../../shared/job_kinds/restore.ts";
import { isIn } from "./place.ts";
import { jsonAs, type StateFolder } from "../state/folder.ts";

const Unfinished = z.object({
  target: z.string(),
  /** What is restored, and how: see keyOf(). */
  key: z.string(),
  /** Which folder it is: another one may have been put in its place. */
  device: z.number(),
  inode: z.number().nullable(),
  /** What an empty folder that was there before is given back; null for one that was made for it. */
  before: z.object({ mode: z.int(), uid: z.int(), gid: z.int() }).nullable(),
});
export type Unfinished = z.infer<typeof Unfinished>;

const Content = z.array(Unfinished);
export const RESTORES_FILE = "restores.json";
/** Of those that were begun at the machine itself: an agent may run at the same time, and has its own. */
export const BY_HAND_RESTORES_FILE = "restores_by_hand.json";
const LIMIT = 100;

/** The newest last; of more than a hundred the oldest are forgotten, and can then not be gone on with. */
export class UnfinishedRestores {
  #all: Unfinished[] = [];
  readonly #inUse = new Set<string>();

  /** Never throws. */
  constructor(private readonly folder: StateFolder, private readonly file = RESTORES_FILE) {
    const { value, damage } = folder.read(file, jsonAs(Content));
    if (value) this.#all = value;
    if (!damage) return;
    folder.problems.happened(
      `${damage.what}. A restore that did not come to its end cannot be gone on with: it needs a new folder.`,
      damage.aside,
    );
  }

  /** Folders that are written to just now. */
  get inUse(): string[] {
    return [...this.#inUse];
  }

  /** Until it is disposed no other restore may use the folder, one above it or one below. undefined where one does. */
  hold(target: string): Disposable | undefined {
    if (this.inUse.some((each) => isIn(each, target) || isIn(target, each))) return undefined;
    this.#inUse.add(target);
    return { [Symbol.dispose]: () => this.#inUse.delete(target) };
  }

  find(target: string): Unfinished | undefined {
    return this.#all.find((each) => each.target === target);
  }

  begin(unfinished: Unfinished): void {
    this.#save([...this.#without(unfinished.target), unfinished].slice(-LIMIT));
  }

  end(target: string): void {
    if (this.find(target)) this.#save(this.#without(target));
  }

  #without(target: string): Unfinished[] {
    return this.#all.filter((each) => each.target !== target);
  }

  #save(all: Unfinished[]): void {
    this.#all = all;
    this.folder.write(this.file, JSON.stringify(all));
  }
}

/** The same for two orders that write the same to the same place. */
export function keyOf({ snapshot, items, target }: RestoreOrder): string {
  const how = target.kind === "folder" ? target.keep_paths ?? true : null;
  return createHash("sha256").update(JSON.stringify([snapshot, items.toSorted(), how]))
    .digest("hex");
}
