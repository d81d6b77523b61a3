// Which limits a job begins with, and keeps: its own, those of the hour, or the host's.
import {
  type BandwidthLimits,
  type HostLimits,
  hostLimitsAt,
  limitsInForce,
  limitsInWords,
  type LimitWindow,
  NO_LIMITS,
} from "../../shared/bandwidth.ts";
import type { Agent } from "../agent.ts";
import type { Order } from "./order.ts";

export interface JobLimits extends BandwidthLimits {
  window: LimitWindow | null;
}

export const NO_JOB_LIMITS: JobLimits = { ...NO_LIMITS, window: null };
const NO_HOST_LIMITS: HostLimits = { ...NO_LIMITS, bandwidth_windows: [], time_zone: "UTC" };

/** The limits for a job that begins now. */
export function limitsNow(agent: Agent, order: Order): JobLimits {
  const { limits, window } = hostLimitsAt(agent.plan.config ?? NO_HOST_LIMITS, agent.timers.now);
  return { ...limitsInForce(limits, order), window };
}

/** For the log, when something is limited. */
export function beginSentence(order: Order, limits: JobLimits): string | null {
  const words = limitsInWords(limits);
  const { window } = limits;
  if (!words) return null;
  if (hasOwnLimits(order)) return `Limited to ${words}, for this run.`;
  return window
    ? `Limited to ${words} (${inWords(window)}).`
    : `Limited to ${words}, as the host is set.`;
}

/** For the log of a job in whose time the host's limits changed: restic cannot change them while it runs. */
export function endSentence(agent: Agent, order: Order, began: JobLimits): string | null {
  const begun = limitsInWords(began) ?? "no limit";
  const current = limitsInWords(limitsNow(agent, order)) ?? "no limit";
  if (begun === current) return null;
  return `This job began with ${begun} and kept it to its end; what begins now has ${current}.`;
}

function hasOwnLimits(order: Order): boolean {
  return (order.bandwidth_up_kib_per_s ?? null) !== null ||
    (order.bandwidth_down_kib_per_s ?? null) !== null;
}

function inWords({ days, from, to }: LimitWindow): string {
  return `${days.join(", ")} ${from}–${to}`;
}
