// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The log of a job: at most ROWS lines stand in the page, and lines never move under a reader.
import { find, get, parse } from "./dom.js";
import { LogFilter } from "./log_filter.js";

const ROWS = 5000;

/** Returns the page's log, or null if it has none. */
export function openLog() {
  const box = find("log", HTMLElement);
  return box && new Log(box);
}

export class Log {
  #box;
  #rows = get("log-rows", HTMLElement);
  #pill = get("follow", HTMLButtonElement);
  #filter = new LogFilter();
  #earlier = get("earlier", HTMLAnchorElement);
  #earlierBox = get("earlier-box", HTMLElement);
  #isFollowing = false;
  /** @type {Element[]} Lines that came while the reader was looking further up. */
  #held = [];
  #lastTop = 0;
  /** The number of the last line that arrived. */
  lastLine;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
    this.lastLine = Number(box.dataset.last || numberOf(this.#rows.lastElementChild));
    box.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#pill.addEventListener("click", () => this.#follow(true));
    this.#earlier.addEventListener("click", (event) => this.#loadEarlier(event));
    this.#filter.onChange(() => {
      this.#filter.apply(this.#rows.children);
      if (this.#isFollowing) this.#toEnd();
    });
    if (this.isGrowing && !/^#L\d+$/.test(location.hash)) this.#follow(true);
    else if (this.isGrowing) this.#showPill();
  }

  /** Whether the job still runs. */
  get isGrowing() {
    return this.#box.dataset.running === "true";
  }

  /**
   * Takes lines that came over the stream; those that stand there already are left out.
   * @param {string} html
   */
  add(html) {
    const fresh = [...parse(html).children].filter((row) => numberOf(row) > this.lastLine);
    if (fresh.length === 0) return;
    this.lastLine = numberOf(fresh.at(-1));
    document.getElementById("log-empty")?.remove();
    if (this.#isFollowing) return this.#append(fresh);
    this.#held = this.#held.concat(fresh).slice(-ROWS);
    this.#showPill();
  }

  /** Shows what was held back: no more lines will come. */
  end() {
    const wasFollowing = this.#isFollowing;
    this.#isFollowing = false;
    this.#showHeld();
    this.#box.dataset.running = "false";
    if (wasFollowing) this.#toEnd();
    this.#pill.hidden = true;
  }

  /** @param {boolean} on */
  #follow(on) {
    this.#isFollowing = on;
    if (on) {
      this.#showHeld();
      this.#toEnd();
    }
    this.#showPill();
  }

  #showHeld() {
    if (this.#held.length === 0) return;
    const fresh = this.#held;
    this.#held = [];
    this.#append(fresh);
  }

  /** @param {Element[]} fresh */
  #append(fresh) {
    this.#filter.apply(fresh);
    this.#rows.append(...fresh);
    while (this.#rows.childElementCount > ROWS) this.#rows.firstElementChild?.remove();
    if (this.#isFollowing) this.#toEnd();
    this.#pointEarlier();
  }

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  #showPill() {
    this.#pill.hidden = this.#isFollowing;
    this.#pill.textContent = this.#held.length ? `Follow (${this.#held.length} new)` : "Follow";
  }

  /** A reader who scrolls up is left alone; one who comes back to the end follows again. */
  #onScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.#box;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - 24;
    if (this.isGrowing) {
      if (this.#isFollowing && !isAtEnd && scrollTop < this.#lastTop - 1) this.#follow(false);
      else if (!this.#isFollowing && isAtEnd) this.#follow(true);
    }
    this.#lastTop = this.#box.scrollTop;
  }

  /** "Load earlier lines" begins where the first line in the page begins. */
  #pointEarlier() {
    const first = numberOf(this.#rows.firstElementChild);
    this.#earlierBox.hidden = first <= 1;
    this.#earlier.href = this.#earlier.href.replace(/before=\d+/, `before=${first}`);
  }

  /** @param {Event} event */
  async #loadEarlier(event) {
    event.preventDefault();
    const first = numberOf(this.#rows.firstElementChild);
    const answer = await fetch(`${this.#earlier.dataset.lines}?before=${first}`);
    if (!answer.ok) return location.assign(this.#earlier.href);
    const older = [...parse(await answer.text()).children].filter((row) => numberOf(row) < first);
    this.#follow(false);
    this.#filter.apply(older);
    const fromEnd = this.#box.scrollHeight - this.#box.scrollTop;
    this.#rows.prepend(...older);
    this.#pointEarlier();
    this.#box.scrollTop = this.#box.scrollHeight - fromEnd;
    if (older.length === 0) this.#earlierBox.hidden = true;
    // The link is gone with its focus: the keyboard goes on from the log.
    if (this.#earlierBox.hidden) this.#box.focus({ preventScroll: true });
  }
}

/**
 * Returns a row's number, which its id says as "L17"; 0 if there is no row.
 * @param {Element | null | undefined} row
 */
function numberOf(row) {
  return row ? Number(row.id.slice(1)) : 0;
}
