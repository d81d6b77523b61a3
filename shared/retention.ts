// Which snapshots of a source group are kept. An empty policy means "keep everything", never "remove everything":
// restic before 0.17 removes all when it is asked to forget without a policy.
import { z } from "zod";

const keep = z.int("must be a whole number from 1 to 9999").min(1, "must be from 1 to 9999")
  .max(9999, "must be from 1 to 9999").optional();

export const Retention = z.strictObject({
  keep_last: keep,
  keep_hourly: keep,
  keep_daily: keep,
  keep_weekly: keep,
  keep_monthly: keep,
  keep_yearly: keep,
  keep_within: z.string().regex(
    /^(?=.)(\d{1,4}y)?(\d{1,4}m)?(\d{1,4}d)?(\d{1,4}h)?$/,
    "must be a duration such as 30d, 6m or 1y6m",
  ).refine((text) => /[1-9]/.test(text), "must be longer than nothing, such as 30d, 6m or 1y6m")
    .optional(),
});
export type Retention = z.infer<typeof Retention>;

/** True when forget must not be run with this policy: nothing in it says what to keep. */
export function keepsEverything(retention: Retention): boolean {
  return Object.values(retention).every((value) => value === undefined);
}

/**
 * True for a policy that only counts snapshots. On append-only storage anyone who holds a host's credential can then make
 * newer snapshots until the good ones are no longer among the last ones.
 */
export function keepsByCountAlone(retention: Retention): boolean {
  const { keep_last, ...others } = retention;
  return keep_last !== undefined && keepsEverything(others);
}

/** "keeps the last 7, then one a day for 14 days, one a week for 8 weeks" */
export function inWords(retention: Retention): string {
  const parts: string[] = [];
  const span = (value: number | undefined, unit: string) => {
    if (value) parts.push(`one ${article(unit)} for ${value} ${unit}${value === 1 ? "" : "s"}`);
  };
  if (retention.keep_last) parts.push(`the last ${retention.keep_last}`);
  span(retention.keep_hourly, "hour");
  span(retention.keep_daily, "day");
  span(retention.keep_weekly, "week");
  span(retention.keep_monthly, "month");
  span(retention.keep_yearly, "year");
  if (retention.keep_within) parts.push(`everything of the last ${retention.keep_within}`);
  if (parts.length === 0) return "keeps everything";
  const [first, ...rest] = parts;
  return rest.length ? `keeps ${first}, then ${rest.join(", ")}` : `keeps ${first}`;
}

function article(unit: string): string {
  return unit === "hour" ? "an hour" : `a ${unit}`;
}
