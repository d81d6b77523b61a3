// @ts-check
/// <reference lib="dom" />
// What lies over the page closes when one looks elsewhere.

const OVERLAYS = "details.menu[open], .pending details[open]";

/** Closes menus on a click or a focus outside them, and the first one on Escape. */
export function startMenus() {
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("focusin", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector(OVERLAYS);
    if (!(menu instanceof HTMLDetailsElement)) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

/** @param {EventTarget | null} except where the reader looks */
function closeMenus(except) {
  for (const menu of document.querySelectorAll(OVERLAYS)) {
    if (!(menu instanceof HTMLDetailsElement)) continue;
    if (!(except instanceof Node) || !menu.contains(except)) menu.open = false;
  }
}
