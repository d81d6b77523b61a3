// @ts-check
/// <reference lib="dom" />
// Elements by their ids, with the type that a module expects of them.

/**
 * Returns the element with this id, or null if the page has none of that type.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T | null}
 */
export function find(id, type) {
  const element = document.getElementById(id);
  return element instanceof type ? element : null;
}

/**
 * Returns the element with this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 * @throws {Error} if the page has none of that type
 */
export function get(id, type) {
  const element = find(id, type);
  if (!element) throw new Error(`The page has no ${type.name} with the id "${id}".`);
  return element;
}

/**
 * Returns what the server rendered as nodes that are not in the page yet.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function parse(html) {
  const box = document.createElement("template");
  box.innerHTML = html.trim();
  return box.content;
}
