// Caps in KiB/s, each direction by itself. Blank, null and anything not above zero mean no limit.

export interface Caps {
  bandwidth_up_kbps: number | null;
  bandwidth_down_kbps: number | null;
}

/** A run's own number wins over the host's, an explicit 0 lifts it; absent or null keeps the host's. */
export function capsInForce(host: Caps, run: Partial<Caps>): Caps {
  return {
    bandwidth_up_kbps: run.bandwidth_up_kbps ?? host.bandwidth_up_kbps,
    bandwidth_down_kbps: run.bandwidth_down_kbps ?? host.bandwidth_down_kbps,
  };
}

/** restic's --limit-upload and --limit-download take KiB/s; nothing is added for none. */
export function limitArguments(caps: Caps): string[] {
  const limits: string[] = [];
  if ((caps.bandwidth_up_kbps ?? 0) > 0) limits.push("--limit-upload", `${caps.bandwidth_up_kbps}`);
  if ((caps.bandwidth_down_kbps ?? 0) > 0) {
    limits.push("--limit-download", `${caps.bandwidth_down_kbps}`);
  }
  return limits;
}
