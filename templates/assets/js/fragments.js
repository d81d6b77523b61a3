// @ts-check
/// <reference lib="dom" />
// Parts of the page that the server rendered anew take the place of the old ones, but nothing moves away under a hand.
import { showTimes } from "./clock.js";
import { parse } from "./dom.js";

/**
 * Fragments that came while someone was busy in the old one: the newest by its id.
 * @type {Map<string, string>}
 */
const waiting = new Map();
let pointerMovedAt = 0;

/** Lets fragments that wait take their place as soon as nobody is busy in them. */
export function startFragments() {
  addEventListener("pointermove", () => pointerMovedAt = Date.now(), { passive: true });
  setInterval(() => waiting.size && settle(), 2000);
  for (const event of ["focusout", "toggle", "pointerup"]) {
    document.addEventListener(event, settle, true);
  }
}

/**
 * Puts a fragment in the place of the element that has its id, or keeps it until nobody is busy there.
 * @param {string} html one element with an id
 */
export function replaceFragment(html) {
  const id = /\sid="([^"]+)"/.exec(html)?.[1];
  if (id) replace(id, html);
}

/**
 * Drops the fragment that waits to take the place of this id.
 * @param {string} id
 */
export function dropWaiting(id) {
  waiting.delete(id);
}

function settle() {
  setTimeout(() => waiting.forEach((html, id) => replace(id, html)), 0);
}

/**
 * @param {string} id
 * @param {string} html
 */
function replace(id, html) {
  intoWaiting(id, html);
  const old = document.getElementById(id);
  if (!old) return;
  // What may change its height waits until the pointer rests.
  if (isBusy(old) || (old.matches("[data-shifts]") && isPointerMoving())) {
    return void waiting.set(id, html);
  }
  waiting.delete(id);
  const fresh = parse(html).firstElementChild;
  if (!(fresh instanceof HTMLElement) || fresh.id !== id || old.outerHTML === fresh.outerHTML) {
    return;
  }
  const focused = old.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  old.replaceWith(fresh);
  if (fresh.matches("[data-mark]") && old.dataset.mark !== fresh.dataset.mark) {
    fresh.classList.add("changed");
  }
  if (focused) focusAgain(fresh, focused);
  const { htmx } = /** @type {{ htmx?: { process(element: Element): void } }} */ (globalThis);
  htmx?.process(fresh);
  showTimes();
}

/**
 * A list that still waits takes in what has come for its rows since.
 * @param {string} id
 * @param {string} html
 */
function intoWaiting(id, html) {
  for (const [key, held] of waiting) {
    if (key === id || !held.includes(` id="${id}"`)) continue;
    const box = parse(held);
    box.getElementById(id)?.replaceWith(parse(html));
    if (box.firstElementChild) waiting.set(key, box.firstElementChild.outerHTML);
  }
}

/**
 * Someone types in it, has unfolded something in it, or is just pressing a button of it.
 * @param {Element} element
 */
function isBusy(element) {
  const focus = document.activeElement;
  return element.querySelector("details[open]") !== null || element.matches(":active") ||
    (element.contains(focus) && focus?.matches("input, textarea, select"));
}

const isPointerMoving = () => Date.now() - pointerMovedAt < 1500;

/**
 * Returns what tells a control of a fragment from the others, also after the fragment was rendered anew.
 * @param {Element | null} element
 */
function keyOf(element) {
  return element?.id || element?.getAttribute("formaction") || element?.getAttribute("href");
}

/**
 * @param {HTMLElement} fragment
 * @param {string} key
 */
function focusAgain(fragment, key) {
  for (const next of fragment.querySelectorAll("[id], [formaction], [href]")) {
    const keys = [next.id, next.getAttribute("formaction"), next.getAttribute("href")];
    if (!(next instanceof HTMLElement) || !keys.includes(key)) continue;
    return next.focus({ preventScroll: true });
  }
}
