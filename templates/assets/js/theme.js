// @ts-check
/// <reference lib="dom" />
// The theme changes at once, and the server remembers it.

/** Lets the theme's form work without loading the page again. */
export function startTheme() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("form[data-theme-form]")) return;
    if (!(event.submitter instanceof HTMLButtonElement)) return;
    event.preventDefault();
    const theme = event.submitter.value;
    show(theme);
    remember(form, theme);
  });
}

/** @param {string} theme */
function show(theme) {
  document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("form[data-theme-form] button")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} theme
 */
function remember(form, theme) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  body.set("theme", theme);
  // Not form.action, since a field of that name would hide it.
  fetch(form.getAttribute("action") ?? "", { method: "POST", body, redirect: "manual" });
}
