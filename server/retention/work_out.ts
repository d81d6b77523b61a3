// Which snapshots a policy keeps. The rules are those of `restic forget` (restic's manual, "Removing snapshots according to
// a policy"; restic 0.16 and newer), worked out here because restic believes the times and tags that a snapshot carries.
import type { Retention } from "../../shared/retention.ts";

export interface Dated {
  id: string;
  /** Milliseconds since 1970. */
  time: number;
}

export interface Kept<T> {
  snapshot: T;
  /** Such as "last", "daily", "within 30d". */
  reasons: string[];
}

export interface WorkedOut<T> {
  keep: Kept<T>[];
  remove: T[];
}

interface Rule {
  reason: string;
  left: number;
  /** Of the snapshots with the same one, the newest counts. */
  slotOf: (time: Temporal.ZonedDateTime, n: number) => string;
  last: string | undefined;
}

/** `snapshots` the newest first. Days, weeks and months are those of the time zone. */
export function workOut<T extends Dated>(
  snapshots: T[],
  policy: Retention,
  timeZone: string,
): WorkedOut<T> {
  const rules = rulesOf(policy);
  const within = policy.keep_within && snapshots[0]
    ? before(snapshots[0].time, policy.keep_within, timeZone)
    : Infinity;
  const result: WorkedOut<T> = { keep: [], remove: [] };
  snapshots.forEach((snapshot, n) => {
    const reasons = snapshot.time > within ? [`within ${policy.keep_within}`] : [];
    const time = zoned(snapshot.time, timeZone);
    const isOldest = n === snapshots.length - 1;
    for (const rule of rules) if (counts(rule, time, n, isOldest)) reasons.push(rule.reason);
    if (reasons.length > 0) result.keep.push({ snapshot, reasons });
    else result.remove.push(snapshot);
  });
  return result;
}

/** The oldest is kept as long as a rule has not kept all that it may: the history becomes no shorter than it can be. */
function counts(rule: Rule, time: Temporal.ZonedDateTime, n: number, isOldest: boolean): boolean {
  if (rule.left === 0) return false;
  const slot = rule.slotOf(time, n);
  if (slot === rule.last && !isOldest) return false;
  rule.last = slot;
  rule.left--;
  return true;
}

function rulesOf(policy: Retention): Rule[] {
  const rule = (reason: string, left: number | undefined, slotOf: Rule["slotOf"]): Rule => ({
    reason,
    left: left ?? 0,
    slotOf,
    last: undefined,
  });
  const day = (time: Temporal.ZonedDateTime) => `${time.year}-${time.month}-${time.day}`;
  return [
    rule("last", policy.keep_last, (_, n) => String(n)),
    rule("hourly", policy.keep_hourly, (time) => `${day(time)} ${time.hour}`),
    rule("daily", policy.keep_daily, day),
    rule("weekly", policy.keep_weekly, (time) => `${time.yearOfWeek}-${time.weekOfYear}`),
    rule("monthly", policy.keep_monthly, (time) => `${time.year}-${time.month}`),
    rule("yearly", policy.keep_yearly, (time) => String(time.year)),
  ].filter(({ left }) => left > 0);
}

function zoned(time: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone);
}

/** The moment that lies a duration such as 1y6m before. A day that a month does not have is the first of the next, as in restic. */
function before(time: number, duration: string, timeZone: string): number {
  const amount = (unit: string) => Number(new RegExp(`(\\d+)${unit}`).exec(duration)?.[1] ?? 0);
  const from = zoned(time, timeZone);
  const civil = Temporal.PlainDateTime.from({ year: 1970, month: 1, day: 1 }).with({
    hour: from.hour,
    minute: from.minute,
    second: from.second,
    millisecond: from.millisecond,
  });
  const days = new Date(0).setUTCFullYear(
    from.year - amount("y"),
    from.month - 1 - amount("m"),
    from.day - amount("d"),
  ) / 86_400_000;
  return civil.add({ days }).toZonedDateTime(timeZone).subtract({ hours: amount("h") })
    .epochMilliseconds;
}
