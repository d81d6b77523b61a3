// Makes pages live: fragments and log lines that arrive by server-sent events, follow and filter of a log, copying,
// keys, the theme. Every page works without it.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripts");
  // Paths and names are not prose.
  document.body.spellcheck = false;
  const $ = (id) => document.getElementById(id);

  // ---- times: the same words as templates/format.ts
  function relative(at, now) {
    const seconds = Math.round(Math.abs(now - at) / 1000);
    if (seconds < 5) return "just now";
    const [n, unit] = seconds < 60
      ? [seconds, "s"]
      : seconds < 3600
      ? [Math.floor(seconds / 60), "m"]
      : seconds < 172800
      ? [Math.floor(seconds / 3600), "h"]
      : [Math.floor(seconds / 86400), "d"];
    return at > now ? `in ${n} ${unit === "m" ? "min" : unit}` : `${n}${unit} ago`;
  }
  // The server's clock counts: the page says what it was when it was made.
  const skew = Number(root.dataset.now || Date.now()) - Date.now();
  function tick() {
    const now = Date.now() + skew;
    for (const time of document.querySelectorAll("time[data-rel]")) {
      const text = relative(Date.parse(time.dateTime), now);
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(() => document.hidden || tick(), 30_000);

  // ---- fragments
  const waiting = new Map();

  function parse(html) {
    const box = document.createElement("template");
    box.innerHTML = html.trim();
    return box.content;
  }

  /** Someone types in it, has unfolded something in it, or is just pressing a button of it. */
  function isBusy(element) {
    const focus = document.activeElement;
    return element.querySelector("details[open]") !== null || element.matches(":active") ||
      (focus && element.contains(focus) && focus.matches("input, textarea, select"));
  }

  /** What may change its height waits until the pointer rests: nothing moves away under a hand. */
  let pointerMoved = 0;
  addEventListener("pointermove", () => pointerMoved = Date.now(), { passive: true });
  const pointerMoves = () => Date.now() - pointerMoved < 1500;
  setInterval(() => waiting.size && settle(), 2000);

  /** A list that still waits takes in what has come for its rows since. */
  function intoWaiting(id, html) {
    for (const [key, held] of waiting) {
      if (key === id || !held.includes(` id="${id}"`)) continue;
      const box = parse(held);
      box.getElementById(id)?.replaceWith(parse(html));
      waiting.set(key, box.firstElementChild.outerHTML);
    }
  }

  function replace(id, html) {
    intoWaiting(id, html);
    const old = $(id);
    if (!old) return;
    if (isBusy(old) || (old.matches("[data-shifts]") && pointerMoves())) {
      return void waiting.set(id, html);
    }
    waiting.delete(id);
    const fresh = parse(html).firstElementChild;
    if (!fresh || fresh.id !== id || old.outerHTML === fresh.outerHTML) return;
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const key = focus &&
      (focus.id || focus.getAttribute("formaction") || focus.getAttribute("href"));
    old.replaceWith(fresh);
    if (fresh.matches("[data-mark]") && old.dataset.mark !== fresh.dataset.mark) {
      fresh.classList.add("changed");
    }
    if (key) {
      for (const next of fresh.querySelectorAll("[id], [formaction], [href]")) {
        if ([next.id, next.getAttribute("formaction"), next.getAttribute("href")].includes(key)) {
          next.focus({ preventScroll: true });
          break;
        }
      }
    }
    if (globalThis.htmx) globalThis.htmx.process(fresh);
    tick();
  }
  const settle = () => setTimeout(() => waiting.forEach((html, id) => replace(id, html)), 0);
  for (const event of ["focusout", "toggle", "pointerup"]) {
    document.addEventListener(event, settle, true);
  }

  // ---- one stream per page; a hidden tab gives its connection back (browsers have six per host)
  let source = null;
  let retry = 0;
  let retryTimer;

  function lost(isLost) {
    const note = $("lost");
    if (note) note.hidden = !isLost;
  }
  /** The server has enough live pages open: this one does not try again by itself. */
  function notLive(isNotLive) {
    const note = $("not-live");
    if (!note) return;
    note.hidden = !isNotLive;
    note.querySelector("a").href = location.pathname + location.search;
  }

  function liveUrl() {
    const url = new URL(document.body.dataset.live, location.href);
    if (log && isGrowing() && lastLine) url.searchParams.set("after", String(lastLine));
    return url;
  }

  function connect() {
    clearTimeout(retryTimer);
    if (source || document.hidden || !document.body.dataset.live) return;
    source = new EventSource(liveUrl());
    source.onopen = () => {
      retry = 0;
      lost(false);
      notLive(false);
    };
    source.addEventListener("not-live", () => {
      disconnect();
      lost(false);
      notLive(true);
    });
    source.onerror = () => {
      lost(true);
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        retryTimer = setTimeout(
          connect,
          Math.min(30_000, 1000 * 2 ** retry++) * (0.5 + Math.random()),
        );
      }
    };
    source.addEventListener("fragment", (event) => {
      const id = /\sid="([^"]+)"/.exec(event.data)?.[1];
      if (id) replace(id, event.data);
    });
    source.addEventListener("lines", (event) => log && addLines(event.data));
    // Not while the answer to a form is on its way, which may hold what is shown only once, nor under somebody who types.
    source.addEventListener("reload", () => isLeaving || $("accept") || location.reload());
    source.addEventListener("end", () => {
      disconnect();
      lost(false);
      if (log) endLog();
      // The job has said all; the fleet goes on.
      document.body.dataset.live = "/live/fleet";
      connect();
    });
  }
  function disconnect() {
    clearTimeout(retryTimer);
    if (source) source.close();
    source = null;
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return disconnect();
    connect();
    tick();
  });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && connect());

  // A filter that htmx put into the address is the stream's too.
  for (const event of ["htmx:pushedIntoHistory", "htmx:historyRestore"]) {
    document.addEventListener(event, () => {
      if (!$("hosts")) return;
      document.body.dataset.live = `/live/dashboard${location.search}`;
      waiting.delete("hosts");
      disconnect();
      connect();
    });
  }

  // ---- the log: at most ROWS lines stand in the page, lines never move under a reader
  const ROWS = 5000;
  const log = $("log");
  const rows = $("log-rows");
  const pill = $("follow");
  const filter = $("log-filter");
  let following = false;
  let held = [];
  let lastLine = 0;

  const isGrowing = () => log.dataset.running === "true";
  const numberOf = (row) => row ? Number(row.id.slice(1)) : 0;

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }
  function matches(row, words) {
    return words === "" || row.lastElementChild.textContent.toLowerCase().includes(words);
  }
  function applyFilter(list) {
    const words = filter.value.trim().toLowerCase();
    for (const row of list) row.classList.toggle("miss", !matches(row, words));
  }
  function addLines(html) {
    const fresh = [...parse(html).children].filter((row) => numberOf(row) > lastLine);
    if (fresh.length === 0) return;
    lastLine = numberOf(fresh[fresh.length - 1]);
    $("log-empty")?.remove();
    if (following) return append(fresh);
    held = held.concat(fresh).slice(-ROWS);
    showPill();
  }
  function append(fresh) {
    applyFilter(fresh);
    rows.append(...fresh);
    while (rows.childElementCount > ROWS) rows.firstElementChild.remove();
    if (following) toEnd();
    pointEarlier();
  }
  /** "Load earlier lines" begins where the first line in the page begins. */
  function pointEarlier() {
    const first = numberOf(rows.firstElementChild);
    const link = $("earlier");
    $("earlier-box").hidden = first <= 1;
    link.href = link.href.replace(/before=\d+/, `before=${first}`);
  }
  async function loadEarlier(event) {
    event.preventDefault();
    const first = numberOf(rows.firstElementChild);
    const answer = await fetch(`${$("earlier").dataset.lines}?before=${first}`);
    if (!answer.ok) return location.assign($("earlier").href);
    const older = [...parse(await answer.text()).children].filter((row) => numberOf(row) < first);
    follow(false);
    applyFilter(older);
    const fromEnd = log.scrollHeight - log.scrollTop;
    rows.prepend(...older);
    pointEarlier();
    log.scrollTop = log.scrollHeight - fromEnd;
    if (older.length === 0) $("earlier-box").hidden = true;
    // The link is gone with its focus: the keyboard goes on from the log.
    if ($("earlier-box").hidden) log.focus({ preventScroll: true });
  }
  function showPill() {
    pill.hidden = following;
    pill.textContent = held.length ? `Follow (${held.length} new)` : "Follow";
  }
  function follow(on) {
    following = on;
    if (on && held.length) {
      const fresh = held;
      held = [];
      append(fresh);
    }
    if (on) toEnd();
    showPill();
  }
  function endLog() {
    const wasFollowing = following;
    if (held.length) {
      append(held);
      held = [];
    }
    following = false;
    log.dataset.running = "false";
    if (wasFollowing) toEnd();
    pill.hidden = true;
  }
  if (log) {
    lastLine = Number(log.dataset.last || numberOf(rows.lastElementChild));
    let lastTop = 0;
    log.addEventListener("scroll", () => {
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 24;
      if (isGrowing()) {
        if (following && !atEnd && log.scrollTop < lastTop - 1) follow(false);
        else if (!following && atEnd) follow(true);
      }
      lastTop = log.scrollTop;
    }, { passive: true });
    pill.addEventListener("click", () => follow(true));
    filter.closest("label").hidden = false;
    let typing;
    filter.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        applyFilter(rows.children);
        if (following) toEnd();
      }, 120);
    });
    $("earlier").addEventListener("click", loadEarlier);
    if (isGrowing() && !/^#L\d+$/.test(location.hash)) follow(true);
    else if (isGrowing()) showPill();
  }

  // ---- copying
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = button.parentElement.querySelector("code").textContent;
    const words = button.dataset.words ??= button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without https there is no clipboard: select it, so that one key copies it.
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => button.textContent = words, 1500);
  });

  // ---- theme: at once, and remembered by the server
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-theme-form]") || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    const body = new URLSearchParams(new FormData(form));
    body.set("theme", theme);
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll("form[data-theme-form] button")) {
      button.setAttribute("aria-pressed", String(button.value === theme));
    }
    fetch(form.getAttribute("action"), { method: "POST", body, redirect: "manual" });
  });

  // ---- a form that was sent leads to another page
  let isLeaving = false;
  document.addEventListener("submit", (event) => isLeaving = !event.defaultPrevented);
  addEventListener("pageshow", () => isLeaving = false);

  // ---- what lies over the page closes when one looks elsewhere
  const OVERLAYS = "details.menu[open], .pending details[open]";
  function closeMenus(except) {
    for (const menu of document.querySelectorAll(OVERLAYS)) {
      if (!menu.contains(except)) menu.open = false;
    }
  }
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("focusin", (event) => closeMenus(event.target));

  // ---- keys
  const places = { h: "/", j: "/jobs", r: "/repositories", a: "/audit" };
  let went = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector(OVERLAYS);
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    if (event.key === "/") {
      const search = document.querySelector("input[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "?") {
      $("keys")?.showModal();
    } else if (event.key === "g") {
      went = Date.now();
    } else if (Date.now() - went < 1500) {
      went = 0;
      const link = document.querySelector(`.places a[href="${places[event.key] ?? ""}"]`);
      if (link) location.assign(link.href);
    }
  });

  // On a narrow screen the place that is open may stand outside its row.
  for (const link of document.querySelectorAll(".places [aria-current], .tabs [aria-current]")) {
    const row = link.parentElement;
    if (link.offsetLeft + link.offsetWidth > row.clientWidth) row.scrollLeft = row.scrollWidth;
  }

  tick();
  connect();
})();
