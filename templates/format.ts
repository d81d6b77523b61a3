// Numbers and times in words, the same on every page. assets/js/clock.js repeats `relative` for the running clock.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export { bytes } from "../shared/bytes.ts";

/** The two largest units: 45 s, 3 m 12 s, 2 h 5 m, 3 d 4 h. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (seconds > 0 && whole === 0) return "under 1 s";
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

/** Times in milliseconds since 1970: "8m ago", "7h ago", "3d ago", "in 3 h". */
export function relative(at: number, now: number): string {
  const seconds = Math.round(Math.abs(now - at) / SECOND);
  if (seconds < 5) return "just now";
  const [n, unit] = seconds < 60
    ? [seconds, "s"]
    : seconds < 3600
    ? [Math.floor(seconds / 60), "m"]
    : seconds < 172_800
    ? [Math.floor(seconds / 3600), "h"]
    : [Math.floor(seconds / 86_400), "d"];
  return at > now ? `in ${n} ${unit === "m" ? "min" : unit}` : `${n}${unit} ago`;
}

/** 2026-11-22 03:00:12 UTC */
export function exact(at: number): string {
  return `${iso(at).slice(0, 10)} ${iso(at).slice(11, 19)} UTC`;
}

const ZONES = new Map<string, Intl.DateTimeFormat>();
const ZONES_KEPT = 600;

/** 2026-11-22 04:00:12, where the clock of that time zone stood. */
export function inZone(at: number, timeZone: string): string {
  let format = ZONES.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      dateStyle: "short",
      timeStyle: "medium",
    });
    if (ZONES.size < ZONES_KEPT) ZONES.set(timeZone, format);
  }
  return format.format(new Date(at));
}

/** 2026-11-22 */
export function day(at: number): string {
  return iso(at).slice(0, 10);
}

/** 03:00 */
export function clock(at: number): string {
  return iso(at).slice(11, 16);
}

/** 03:00 within a day, Sun 03:00 within a week, then the date: when something comes next. */
export function upcoming(at: number, now: number): string {
  if (at - now < DAY) return clock(at);
  if (at - now >= 6 * DAY) return day(at);
  const weekday = new Date(at).toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "short" });
  return `${weekday} ${clock(at)}`;
}

/** Sunday 22 November 2026; today and yesterday by their names. */
export function dayInWords(at: number, now: number): string {
  const words = new Date(at).toLocaleDateString("en-GB", {
    timeZone: "UTC",
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  }).replace(",", "");
  if (day(at) === day(now)) return `Today, ${words}`;
  if (day(at) === day(now - DAY)) return `Yesterday, ${words}`;
  return words;
}

/** What a <time> element carries; seconds are enough. A time no calendar has becomes 1970. */
export function iso(at: number): string {
  const date = new Date(at);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString().replace(/\.\d+Z$/, "Z");
}

// Made once: toLocaleString() makes one per call, which is a tenth of the time of a page.
const COUNT = new Intl.NumberFormat("en-US");

/** 12,345 */
export function count(n: number): string {
  return COUNT.format(Math.round(n));
}

/** "1 host", "12,345 hosts" */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Cut in the middle, so that both the root and the file of a path stay legible. */
export function middleCut(text: string, limit: number): string {
  const letters = Array.from(text);
  if (letters.length <= limit) return text;
  const tail = Math.ceil((limit - 1) * 0.6);
  return `${letters.slice(0, limit - 1 - tail).join("")}…${letters.slice(-tail).join("")}`;
}

/** "No backup for 26 h; offline." */
export function inASentence(parts: string[]): string {
  const text = parts.join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/([^.!?])$/, "$1.");
}
