// The scripts of the pages, as modules that import each other relatively: all of them have the hash of all assets in
// their addresses, so that after an update none of them is an old one.
import appJs from "./js/app.js" with { type: "text" };
import clockJs from "./js/clock.js" with { type: "text" };
import copyingJs from "./js/copying.js" with { type: "text" };
import domJs from "./js/dom.js" with { type: "text" };
import fragmentsJs from "./js/fragments.js" with { type: "text" };
import keysJs from "./js/keys.js" with { type: "text" };
import logJs from "./js/log.js" with { type: "text" };
import logFilterJs from "./js/log_filter.js" with { type: "text" };
import menusJs from "./js/menus.js" with { type: "text" };
import streamJs from "./js/stream.js" with { type: "text" };
import themeJs from "./js/theme.js" with { type: "text" };

/** Their text by name; app.js is the one that a page starts. */
export const scripts: Readonly<Record<string, string>> = {
  "app.js": appJs,
  "clock.js": clockJs,
  "copying.js": copyingJs,
  "dom.js": domJs,
  "fragments.js": fragmentsJs,
  "keys.js": keysJs,
  "log.js": logJs,
  "log_filter.js": logFilterJs,
  "menus.js": menusJs,
  "stream.js": streamJs,
  "theme.js": themeJs,
};
