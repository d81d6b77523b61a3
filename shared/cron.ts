// When a schedule fires. The same module validates on the server and fires on the agent: what validates is what fires.
import { Cron } from "croner";
import cronstrue from "cronstrue";

/** croner also takes seconds, years and dates; a backup schedule is five fields or a nickname. */
const NICKNAMES = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
const ACCEPTED = `five fields (minute hour day month weekday), such as "0 3 * * *", or ${
  NICKNAMES.slice(0, 5).join(", ")
}`;
/** Building a pattern costs about 0.3 ms and 80 KB (measured): a few are kept. */
const KEPT = 200;
const kept = new Map<string, Cron>();

/** The expression with single spaces. Throws a RangeError whose message continues the field's name. */
export function parseCron(text: string): string {
  const expression = text.trim().replace(/\s+/g, " ");
  if (expression.length > 200) throw new RangeError("must be at most 200 characters");
  if (expression.startsWith("@")) {
    const nickname = expression.toLowerCase();
    if (!NICKNAMES.includes(nickname)) throw new RangeError(`must be ${ACCEPTED}`);
    return nickname;
  }
  if (expression.split(" ").length !== 5) throw new RangeError(`must be ${ACCEPTED}`);
  let next: Date | null;
  try {
    next = patternOf(expression, "UTC").nextRun(new Date(Date.UTC(2026, 0, 1)));
  } catch (error) {
    throw new RangeError(`is not a schedule: ${inPlainWords(error)}; it must be ${ACCEPTED}`);
  }
  if (next === null) throw new RangeError("would never fire: there is no such day");
  return expression;
}

/** The first fire time after `from` (both in milliseconds), or null when there is none. A time zone's gap fires once, right after it; a repeated hour fires once, the first time. */
export function nextRun(cron: string, from: number, timeZone = "UTC"): number | null {
  return patternOf(cron, timeZone).nextRun(new Date(from))?.getTime() ?? null;
}

/** The next fire times after `from`. */
export function nextRuns(cron: string, from: number, count: number, timeZone = "UTC"): number[] {
  return patternOf(cron, timeZone).nextRuns(count, new Date(from)).map((date) => date.getTime());
}

/** The last fire time after `after` and not after `until`, or null: several misses count as the last one. */
export function lastRunBetween(
  cron: string,
  after: number,
  until: number,
  timeZone = "UTC",
): number | null {
  // previousRuns() looks strictly before its reference, in whole seconds.
  const [last] = patternOf(cron, timeZone).previousRuns(1, new Date(until + 1000));
  let at = last?.getTime() ?? null;
  if (at !== null && at > until) {
    at = patternOf(cron, timeZone).previousRuns(1, new Date(at))[0]?.getTime() ?? null;
  }
  return at !== null && at > after ? at : null;
}

/** How many fire times lie after `after` and not after `until`; at most `limit` are counted. */
export function countRuns(
  cron: string,
  after: number,
  until: number,
  limit: number,
  timeZone = "UTC",
): number {
  const pattern = patternOf(cron, timeZone);
  let count = 0;
  for (let at: Date | null = new Date(after); count < limit; count++) {
    at = pattern.nextRun(at);
    if (at === null || at.getTime() > until) break;
  }
  return count;
}

export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
  } catch {
    return false;
  }
}

/** "At 03:00", "At 03:00, only on Sunday". */
export function cronInWords(cron: string): string {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true, verbose: false });
  } catch {
    return cron;
  }
}

function patternOf(cron: string, timeZone: string): Cron {
  const key = `${timeZone} ${cron}`;
  const found = kept.get(key);
  if (found) return found;
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
  const made = new Cron(cron, { timezone: timeZone, paused: true });
  kept.set(key, made);
  return made;
}

/** croner's reason without its own name; it counts months and weekdays from 0. */
function inPlainWords(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^(Cron\w*|TypeError|RangeError): */i, "").replace(/\.$/, "").toLowerCase();
}
