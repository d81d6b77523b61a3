// Caps in KiB/s, each direction by itself. Blank, null and anything not above zero mean no limit.
import { z } from "zod";
import { bandwidthCap } from "./fields.ts";

export interface Caps {
  bandwidth_up_kbps: number | null;
  bandwidth_down_kbps: number | null;
}

export const NO_CAPS: Caps = { bandwidth_up_kbps: null, bandwidth_down_kbps: null };

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
 * Caps for some hours of some days, in the host's time zone. `from` belongs to it, `to` does not. One whose `to` is not
 * after its `from` goes on into the next day.
 */
export const BandwidthWindow = z.strictObject({
  days: z.array(z.enum(DAYS, { error: `must be of ${DAYS.join(", ")}` }), "must be a list of days")
    .min(1, "must name at least one day").max(7, "must be at most 7 days"),
  from,
  to,
  bandwidth_up_kbps: bandwidthCap,
  bandwidth_down_kbps: bandwidthCap,
}).refine((window) => window.from !== window.to, {
  path: ["to"],
  message: "must differ from the beginning; the whole day is 00:00 to 24:00",
});
export type BandwidthWindow = z.infer<typeof BandwidthWindow>;

export const BandwidthWindows = z.array(BandwidthWindow, "must be a list of windows")
  .max(24, "must be at most 24 windows");

/** A host's caps, and the windows that stand above them. */
export interface HostCaps extends Caps {
  bandwidth_windows: BandwidthWindow[];
  time_zone: string;
}

/** A run's own number wins over the host's, an explicit 0 lifts it; absent or null keeps the host's. */
export function capsInForce(host: Caps, run: Partial<Caps>): Caps {
  return {
    bandwidth_up_kbps: run.bandwidth_up_kbps ?? host.bandwidth_up_kbps,
    bandwidth_down_kbps: run.bandwidth_down_kbps ?? host.bandwidth_down_kbps,
  };
}

/** The host's caps at a moment: those of the first window that holds it, else the base caps. */
export function hostCapsAt(
  host: HostCaps,
  at: number,
): { caps: Caps; window: BandwidthWindow | null } {
  const window = windowAt(host.bandwidth_windows, host.time_zone, at);
  const { bandwidth_up_kbps, bandwidth_down_kbps } = window ?? host;
  return { caps: { bandwidth_up_kbps, bandwidth_down_kbps }, window };
}

function windowAt(
  windows: BandwidthWindow[],
  timeZone: string,
  at: number,
): BandwidthWindow | null {
  if (windows.length === 0) return null;
  const { day, time } = localTime(timeZone, at);
  const dayBefore = DAYS[(DAYS.indexOf(day) + 6) % 7]!;
  const holds = ({ days, from, to }: BandwidthWindow) => {
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
export function capsInWords(caps: Caps): string | null {
  const { bandwidth_up_kbps: up, bandwidth_down_kbps: down } = caps;
  const parts = [
    ...(isCap(up) ? [`${up} KiB/s up`] : []),
    ...(isCap(down) ? [`${down} KiB/s down`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : null;
}

/** restic's --limit-upload and --limit-download take KiB/s; nothing is added for none. */
export function limitArguments(caps: Caps): string[] {
  const { bandwidth_up_kbps: up, bandwidth_down_kbps: down } = caps;
  return [
    ...(isCap(up) ? ["--limit-upload", `${up}`] : []),
    ...(isCap(down) ? ["--limit-download", `${down}`] : []),
  ];
}

function isCap(value: number | null): value is number {
  return value !== null && value > 0;
}
