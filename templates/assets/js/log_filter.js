// @ts-check
/// <reference lib="dom" />
// Shows only the lines of a log that hold some words.
import { get } from "./dom.js";

/** How long the reader must have stopped typing, in milliseconds. */
const PAUSE = 120;

export class LogFilter {
  #input = get("log-filter", HTMLInputElement);

  constructor() {
    const label = this.#input.closest("label");
    if (label) label.hidden = false;
  }

  /**
   * Calls back once the reader has stopped typing.
   * @param {() => void} changed
   */
  onChange(changed) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    this.#input.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(changed, PAUSE);
    });
  }

  /**
   * Hides the rows that do not hold the words, and shows the others.
   * @param {Iterable<Element>} rows
   */
  apply(rows) {
    const words = this.#input.value.trim().toLowerCase();
    for (const row of rows) {
      const text = row.lastElementChild?.textContent?.toLowerCase() ?? "";
      row.classList.toggle("miss", !text.includes(words));
    }
  }
}
