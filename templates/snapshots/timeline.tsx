// The days that have snapshots, as a band: each of them is a button that shows that day.
import { day, plural } from "../format.ts";

export const TIMELINE_DAYS = 60;
const DAY_MS = 86_400_000;

export interface TimelineProps {
  /** The list that a day is shown in, and what else it is filtered by. */
  action: string;
  kept: Record<string, string>;
  /** Days since 1970 (UTC) that have snapshots. */
  days: number[];
  /** The last day of the band. */
  lastDay: number;
}

export function Timeline({ action, kept, days, lastDay }: TimelineProps) {
  const first = lastDay - TIMELINE_DAYS + 1;
  const has = new Set(days.filter((each) => each >= first && each <= lastDay));
  const dateOf = (each: number) => day(each * DAY_MS);
  return (
    <form class="timeline" action={action} aria-label="Days with snapshots">
      {Object.entries(kept).map(([name, value]) => (
        <input
          type="hidden"
          name={name}
          value={value}
        />
      ))}
      <p class="muted small">
        {plural(has.size, "day")} with snapshots from {dateOf(first)} to {dateOf(lastDay)} (UTC)
      </p>
      <ol>
        {Array.from({ length: TIMELINE_DAYS }, (_, n) => first + n).map((each) =>
          has.has(each)
            ? (
              <li>
                <button type="submit" name="day" value={dateOf(each)} title={dateOf(each)}>
                  <span class="off-screen">{dateOf(each)}</span>
                </button>
              </li>
            )
            : <li aria-hidden="true"></li>
        )}
      </ol>
    </form>
  );
}
