// @ts-check
/// <reference lib="dom" />
// One stream of events per page. A hidden tab gives its connection back, since browsers have six per host.
import { showTimes } from "./clock.js";
import { find } from "./dom.js";
import { dropWaiting, replaceFragment } from "./fragments.js";

/** @import { Log } from "./log.js" */

/** @type {EventSource | null} */
let source = null;
/** @type {Log | null} */
let log = null;
let retries = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retryTimer;
/** A form that was sent leads to another page. */
let isLeaving = false;

/**
 * Opens the page's stream and keeps it open for as long as the page is looked at.
 * @param {Log | null} logOfPage where the lines go
 */
export function startStream(logOfPage) {
  log = logOfPage;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return disconnect();
    connect();
    showTimes();
  });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => {
    isLeaving = false;
    if (event.persisted) connect();
  });
  // The window is asked last, after whoever sends a form by a request of their own has said so.
  // A download leaves the page as it is.
  addEventListener("submit", ({ defaultPrevented, submitter }) => {
    isLeaving = !defaultPrevented && !submitter?.hasAttribute("data-download");
  });
  followFilter();
  connect();
}

/** A filter that htmx put into the address is the stream's too. */
function followFilter() {
  for (const event of ["htmx:pushedIntoHistory", "htmx:historyRestore"]) {
    document.addEventListener(event, () => {
      if (!document.getElementById("hosts")) return;
      document.body.dataset.live = `/live/dashboard${location.search}`;
      dropWaiting("hosts");
      disconnect();
      connect();
    });
  }
}

function connect() {
  clearTimeout(retryTimer);
  const path = document.body.dataset.live;
  if (source || document.hidden || !path) return;
  source = new EventSource(liveUrl(path));
  source.onopen = () => {
    retries = 0;
    showLost(false);
    showNotLive(false);
  };
  source.onerror = onError;
  source.addEventListener("not-live", () => {
    disconnect();
    showLost(false);
    showNotLive(true);
  });
  source.addEventListener("fragment", (event) => replaceFragment(event.data));
  source.addEventListener("lines", (event) => log?.add(event.data));
  // Not while the answer to a form is on its way, which may hold what is shown only once, nor under someone who types.
  source.addEventListener("reload", () => {
    if (!isLeaving && !document.getElementById("accept")) location.reload();
  });
  source.addEventListener("end", onEnd);
}

/** @param {string} path */
function liveUrl(path) {
  const url = new URL(path, location.href);
  if (log?.isGrowing && log.lastLine) url.searchParams.set("after", String(log.lastLine));
  return url;
}

/** The browser tries again by itself, unless it was refused. */
function onError() {
  showLost(true);
  if (source?.readyState !== EventSource.CLOSED) return;
  source = null;
  const pause = Math.min(30_000, 1000 * 2 ** retries++) * (0.5 + Math.random());
  retryTimer = setTimeout(connect, pause);
}

/** The job has said all; the fleet goes on. */
function onEnd() {
  disconnect();
  showLost(false);
  log?.end();
  document.body.dataset.live = "/live/fleet";
  connect();
}

function disconnect() {
  clearTimeout(retryTimer);
  source?.close();
  source = null;
}

/** @param {boolean} isLost */
function showLost(isLost) {
  const note = find("lost", HTMLElement);
  if (note) note.hidden = !isLost;
}

/**
 * The server has enough live pages open: this one does not try again by itself.
 * @param {boolean} isNotLive
 */
function showNotLive(isNotLive) {
  const note = find("not-live", HTMLElement);
  if (!note) return;
  note.hidden = !isNotLive;
  note.querySelector("a")?.setAttribute("href", location.pathname + location.search);
}
