// @ts-check
/// <reference lib="dom" />
// Times that say how long ago something was go on by themselves.

/** Milliseconds by which the server's clock is ahead: it counts, and the page says what it was when it was made. */
let skew = 0;

/** Shows every relative time in the page as of now, and again every 30 seconds. */
export function startClock() {
  skew = Number(document.documentElement.dataset.now || Date.now()) - Date.now();
  setInterval(() => document.hidden || showTimes(), 30_000);
  showTimes();
}

/** Shows every relative time in the page as of now. */
export function showTimes() {
  const now = Date.now() + skew;
  for (const time of document.querySelectorAll("time[data-rel]")) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const text = relative(Date.parse(time.dateTime), now);
    if (time.textContent !== text) time.textContent = text;
  }
}

/**
 * Returns the same words as `relative` of templates/format.ts; both times are milliseconds since 1970.
 * @param {number} at
 * @param {number} now
 * @returns {string}
 */
export function relative(at, now) {
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
