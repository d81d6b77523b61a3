// @ts-check
/// <reference lib="dom" />
// Keys that lead somewhere; the page lists them on "?".
import { find } from "./dom.js";

/**
 * Where "g" and then a key leads.
 * @type {Record<string, string>}
 */
const PLACES = { h: "/", j: "/jobs", r: "/repositories", a: "/audit" };
/** How long after "g" the second key is waited for, in milliseconds. */
const PATIENCE = 1500;

/** Lets the keys work wherever nobody types. */
export function startKeys() {
  let wentAt = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      search(event);
    } else if (event.key === "?") {
      find("keys", HTMLDialogElement)?.showModal();
    } else if (event.key === "g") {
      wentAt = Date.now();
    } else if (Date.now() - wentAt < PATIENCE) {
      wentAt = 0;
      go(event.key);
    }
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, dialog") !== null;
}

/** @param {KeyboardEvent} event */
function search(event) {
  const field = document.querySelector("input[data-search]");
  if (!(field instanceof HTMLInputElement)) return;
  event.preventDefault();
  field.focus();
  field.select();
}

/** @param {string} key */
function go(key) {
  const link = document.querySelector(`.places a[href="${PLACES[key] ?? ""}"]`);
  if (link instanceof HTMLAnchorElement) location.assign(link.href);
}
