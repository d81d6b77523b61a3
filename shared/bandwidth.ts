// Limits in KiB/s, each direction by itself. Blank, null and anything not above zero mean no limit.
import { z } from "zod";
import { bandwidthLimit } from "./fields.ts";

export interface BandwidthLimits {
  bandwidth_up_kib_per_s: number | null;
  bandwidth_down_kib_per_s: number | null;
}

export const NO_LIMITS: BandwidthLimits = {
  bandwidth_up_kib_per_s: null,
  bandwidth_down_kib_per_s: null,
};

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = typeof DAYS[number];

const from = z.string("must be a time such as 08:00").regex(
  /^([01]\d|2[0-3]):[0-5]\d$/,
  "must be a time from 00:00 to 23:59",
);
const to = z.string("must be a time such as 18:00").regex(
  /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
  "must be a time from 00:00 to 24:00",
);

/**
 * Limits for some hours of some days, in the host's time zone. `from` belongs to it, `to` does not. One whose `to` is not
 * after its `from` goes on into the next day.
 */
const hours = {
  days: z.array(z.enum(DAYS, { error: `must be of ${DAYS.join(", ")}` }), "must be a list of days")
    .min(1, "must name at least one day").max(7, "must be at most 7 days"),
  from,
  to,
};
const differs = {
  path: ["to"],
  message: "must differ from the beginning; the whole day is 00:00 to 24:00",
};
const WINDOWS_LIMIT = 24;

/** As the API names it: its two fields hold KiB/s too, and keep the names that scripts rely on. */
export const BandwidthWindow = z.strictObject({
  ...hours,
  bandwidth_up_kbps: bandwidthLimit,
  bandwidth_down_kbps: bandwidthLimit,
}).refine((window) => window.from !== window.to, differs);
export type BandwidthWindow = z.infer<typeof BandwidthWindow>;

export const BandwidthWindows = z.array(BandwidthWindow, "must be a list of windows")
  .max(WINDOWS_LIMIT, `must be at most ${WINDOWS_LIMIT} windows`);

/** As the wire and the database have it. */
export const LimitWindow = z.object({
  ...hours,
  bandwidth_up_kib_per_s: bandwidthLimit,
  bandwidth_down_kib_per_s: bandwidthLimit,
}).refine((window) => window.from !== window.to, differs);
export type LimitWindow = z.infer<typeof LimitWindow>;

export const LimitWindows = z.array(LimitWindow).max(WINDOWS_LIMIT);

/** Of one run: what is absent or null keeps the host's limit, 0 lifts it. */
export type OwnLimits = { [K in keyof BandwidthLimits]?: BandwidthLimits[K] | undefined };

/** The same limits under the API's names. */
export type ApiLimits = Pick<BandwidthWindow, "bandwidth_up_kbps" | "bandwidth_down_kbps">;

/** The API's limits under the names of wire and database; what is absent stays undefined. */
export function limitsOf(input: { [K in keyof ApiLimits]?: ApiLimits[K] | undefined }): OwnLimits {
  return {
    bandwidth_up_kib_per_s: input.bandwidth_up_kbps,
    bandwidth_down_kib_per_s: input.bandwidth_down_kbps,
  };
}

export function apiLimits(limits: BandwidthLimits): ApiLimits {
  return {
    bandwidth_up_kbps: limits.bandwidth_up_kib_per_s,
    bandwidth_down_kbps: limits.bandwidth_down_kib_per_s,
  };
}

export function windowOf(input: BandwidthWindow): LimitWindow {
  const { days, from, to } = input;
  return {
    days,
    from,
    to,
    bandwidth_up_kib_per_s: input.bandwidth_up_kbps,
    bandwidth_down_kib_per_s: input.bandwidth_down_kbps,
  };
}

export function apiWindow({ days, from, to, ...limits }: LimitWindow): BandwidthWindow {
  return { days, from, to, ...apiLimits(limits) };
}

/** A host's limits, and the windows that stand above them. */
export interface HostLimits extends BandwidthLimits {
  bandwidth_windows: LimitWindow[];
  time_zone: string;
}

/** A run's own number wins over the host's, an explicit 0 lifts it; absent or null keeps the host's. */
export function limitsInForce(host: BandwidthLimits, run: OwnLimits): BandwidthLimits {
  return {
    bandwidth_up_kib_per_s: run.bandwidth_up_kib_per_s ?? host.bandwidth_up_kib_per_s,
    bandwidth_down_kib_per_s: run.bandwidth_down_kib_per_s ?? host.bandwidth_down_kib_per_s,
  };
}

/** The host's limits at a moment: those of the first window that holds it, else the base limits. */
export function hostLimitsAt(
  host: HostLimits,
  at: number,
): { limits: BandwidthLimits; window: LimitWindow | null } {
  const window = windowAt(host.bandwidth_windows, host.time_zone, at);
  const { bandwidth_up_kib_per_s, bandwidth_down_kib_per_s } = window ?? host;
  return { limits: { bandwidth_up_kib_per_s, bandwidth_down_kib_per_s }, window };
}

function windowAt(
  windows: LimitWindow[],
  timeZone: string,
  at: number,
): LimitWindow | null {
  if (windows.length === 0) return null;
  const { day, time } = localTime(timeZone, at);
  const dayBefore = DAYS[(DAYS.indexOf(day) + 6) % 7]!;
  const holds = ({ days, from, to }: LimitWindow) => {
    if (from < to) return days.includes(day) && from <= time && time < to;
    return days.includes(day) && from <= time || days.includes(dayBefore) && time < to;
  };
  return windows.find(holds) ?? null;
}

function localTime(timeZone: string, at: number): { day: Day; time: string } {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  return {
    day: part("weekday").toLowerCase() as Day,
    time: `${part("hour")}:${part("minute")}`,
  };
}

/** `512 KiB/s up, 1024 KiB/s down`; null when nothing is limited. */
export function limitsInWords(limits: BandwidthLimits): string | null {
  const { bandwidth_up_kib_per_s: up, bandwidth_down_kib_per_s: down } = limits;
  const parts = [
    ...(isLimit(up) ? [`${up} KiB/s up`] : []),
    ...(isLimit(down) ? [`${down} KiB/s down`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : null;
}

/** restic's --limit-upload and --limit-download take KiB/s; nothing is added for none. */
export function limitArguments(limits: BandwidthLimits): string[] {
  const { bandwidth_up_kib_per_s: up, bandwidth_down_kib_per_s: down } = limits;
  return [
    ...(isLimit(up) ? ["--limit-upload", `${up}`] : []),
    ...(isLimit(down) ? ["--limit-download", `${down}`] : []),
  ];
}

function isLimit(value: number | null): value is number {
  return value !== null && value > 0;
}
