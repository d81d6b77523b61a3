// @ts-check
/// <reference lib="dom" />
// Makes pages live: fragments and log lines that arrive by server-sent events, follow and filter of a log, copying,
// keys, the theme. Every page works without it.
import { startClock } from "./clock.js";
import { startCopying } from "./copying.js";
import { startFragments } from "./fragments.js";
import { startKeys } from "./keys.js";
import { openLog } from "./log.js";
import { startMenus } from "./menus.js";
import { startStream } from "./stream.js";
import { startTheme } from "./theme.js";

document.documentElement.classList.add("scripts");
// Paths and names are not prose.
document.body.spellcheck = false;

// On a narrow screen the place that is open may stand outside its row.
for (const link of document.querySelectorAll(".places [aria-current], .tabs [aria-current]")) {
  const row = link.parentElement;
  if (!(link instanceof HTMLElement) || !row) continue;
  if (link.offsetLeft + link.offsetWidth > row.clientWidth) row.scrollLeft = row.scrollWidth;
}

startFragments();
startCopying();
startTheme();
startMenus();
startKeys();
startClock();
startStream(openLog());
