// Thirty days of backups, the oldest first: one path per state, a dash per day, so that a row of it costs 200 bytes.
import { day } from "../format.ts";

export type DayState = "ok" | "warn" | "bad" | "none";

const WORDS: Record<DayState, string> = {
  ok: "backed up",
  warn: "with warnings",
  bad: "failed",
  none: "without a backup",
};
const STATES: DayState[] = ["ok", "warn", "bad", "none"];
/** Height differs as well as colour: a failure stands above the line, a day without is a low mark. */
const MIDDLE: Record<DayState, number> = { ok: 10, warn: 12, bad: 8, none: 15 };
const CLASS: Record<DayState, string> = {
  ok: "s-ok ok",
  warn: "s-warn warn",
  bad: "s-bad bad",
  none: "s-none",
};

/** `days`: one per day up to today, the oldest first. */
export function Strip({ days, now }: { days: DayState[]; now: number }) {
  const month = [...Array<DayState>(Math.max(0, 30 - days.length)).fill("none"), ...days].slice(
    -30,
  );
  return (
    <svg class="strip" role="img">
      <title>{stripInWords(month, now)}</title>
      {STATES.filter((state) => month.includes(state)).map((state) => (
        <path class={CLASS[state]} d={pathOf(month, state)} />
      ))}
    </svg>
  );
}

/** "28 backed up, 1 failed (2026-11-18), 1 without a backup" */
export function stripInWords(days: DayState[], now: number): string {
  const parts = STATES.flatMap((state) => {
    const found = days.flatMap((one, i) => one === state ? [i] : []);
    if (found.length === 0) return [];
    const dates = state === "bad"
      ? ` (${found.slice(-3).map((i) => day(now - (days.length - 1 - i) * 86_400_000)).join(", ")})`
      : "";
    return [`${found.length} ${WORDS[state]}${dates}`];
  });
  return parts.join(", ");
}

function pathOf(days: DayState[], state: DayState): string {
  let path = "";
  for (let i = 0; i < days.length; i++) {
    if (days[i] !== state) continue;
    let end = i;
    while (days[end + 1] === state) end++;
    path += `M${i * 5} ${MIDDLE[state]}h${(end - i) * 5 + 4}`;
    i = end;
  }
  return path;
}
