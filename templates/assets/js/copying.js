// @ts-check
/// <reference lib="dom" />
// Buttons that copy the text beside them.

/** Lets every copy button of the page work, also those that come later. */
export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button.copy");
    if (button instanceof HTMLButtonElement) copy(button);
  });
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const code = button.parentElement?.querySelector("code");
  if (!code) return;
  const words = button.dataset.words ??= button.textContent ?? "";
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
  } catch {
    // Without https there is no clipboard: select it, so that one key copies it.
    getSelection()?.selectAllChildren(code);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => button.textContent = words, 1500);
}
