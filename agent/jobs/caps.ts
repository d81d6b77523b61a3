// Which caps a job begins with, and keeps: its own, those of the hour, or the host's.
import {
  type BandwidthWindow,
  type Caps,
  capsInForce,
  capsInWords,
  type HostCaps,
  hostCapsAt,
  NO_CAPS,
} from "../../shared/bandwidth.ts";
import type { Agent } from "../agent.ts";
import type { Order } from "./order.ts";

export interface JobCaps extends Caps {
  window: BandwidthWindow | null;
}

export const NO_JOB_CAPS: JobCaps = { ...NO_CAPS, window: null };
const NO_HOST_CAPS: HostCaps = { ...NO_CAPS, bandwidth_windows: [], time_zone: "UTC" };

/** The caps for a job that begins now. */
export function capsNow(agent: Agent, order: Order): JobCaps {
  const { caps, window } = hostCapsAt(agent.plan.config ?? NO_HOST_CAPS, agent.timers.now);
  return { ...capsInForce(caps, order), window };
}

/** For the log, when something is limited. */
export function beginSentence(order: Order, caps: JobCaps): string | null {
  const words = capsInWords(caps);
  const { window } = caps;
  if (!words) return null;
  if (ownCaps(order)) return `Limited to ${words}, for this run.`;
  return window
    ? `Limited to ${words} (${inWords(window)}).`
    : `Limited to ${words}, as the host is set.`;
}

/** For the log of a job in whose time the host's caps changed: restic cannot change them while it runs. */
export function endSentence(agent: Agent, order: Order, began: JobCaps): string | null {
  const begun = capsInWords(began) ?? "no limit";
  const current = capsInWords(capsNow(agent, order)) ?? "no limit";
  if (begun === current) return null;
  return `This job began with ${begun} and kept it to its end; what begins now has ${current}.`;
}

function ownCaps(order: Order): boolean {
  return (order.bandwidth_up_kbps ?? null) !== null || (order.bandwidth_down_kbps ?? null) !== null;
}

function inWords({ days, from, to }: BandwidthWindow): string {
  return `${days.join(", ")} ${from}–${to}`;
}
