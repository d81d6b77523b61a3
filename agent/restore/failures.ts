// What could not be restored, each item once. Content that is not right, and attributes that could not be set, are two things: a network
// share takes every byte and no owner.
import { FAILURES_TOLD, type RestoreFailure } from "../../shared/job_kinds/restore.ts";

/** Of more items it is only known how many lines told of them. */
const KEPT = 10_000;

/** What restic says when it sets owner, mode, times, access lists and extended attributes, in all its versions. */
const ATTRIBUTE =
  /^(?:\w+: )?(?:lchown|chown|chmod|lchmod|fchmod\w*|(?:l|f)?utime\w*|UtimesNano|xattr\.\w+|l?setxattr|\w*SecurityInfo\w*|set\w* (?:timestamp|attribute)\w*|failed to (?:set|restore) (?:timestamp|attribute|ACL|security)\w*|ACL|acl)\b/;

export class Failures {
  readonly #content = new Map<string, string>();
  readonly #attributes = new Map<string, string>();
  #more = 0;

  /** What restic said of an item. */
  heard(path: string, message: string): void {
    if (ATTRIBUTE.test(message)) this.#note(this.#attributes, path, message);
    else this.add({ path, problem: message });
  }

  /** Content that is not as it is in the snapshot. */
  add({ path, problem }: RestoreFailure): void {
    this.#note(this.#content, path, problem);
    this.#attributes.delete(path);
  }

  has(path: string): boolean {
    return this.#content.has(path);
  }

  get failed(): number {
    return this.#content.size + this.#more;
  }

  get attributes(): number {
    return this.#attributes.size;
  }

  /** The content's first. */
  get told(): RestoreFailure[] {
    return [...this.#content, ...this.#attributes].slice(0, FAILURES_TOLD)
      .map(([path, problem]) => ({ path: path.slice(0, 4096), problem: problem.slice(0, 500) }));
  }

  #note(where: Map<string, string>, path: string, problem: string): void {
    if (where.has(path) || this.#content.has(path)) return;
    if (where.size < KEPT) where.set(path, problem);
    else if (where === this.#content) this.#more++;
  }
}
