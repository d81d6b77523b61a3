// The fleet in one line, for the frame of every page: kept until something about a host changes, or for ten seconds,
// since the passing of time alone makes backups old.
import type { Problem } from "../../shared/problems.ts";
import type { Server } from "../server.ts";
import { allHosts, type Host } from "./find.ts";
import { NEEDS_SOMEBODY } from "./state.ts";
import type { FleetSummary as FleetShape } from "../../shared/shapes/host.ts";

type Worst = FleetShape["worst"][number];

/** As the API shows it; the problems of the worst are data. */
export interface FleetSummary extends Omit<FleetShape, "worst"> {
  worst: (Omit<Worst, "problems" | "problem_details"> & { problems: Problem[] })[];
}

const KEPT_MILLISECONDS = 10_000;
const SHOWN = 10;

interface Kept {
  at: number;
  summary: Promise<FleetSummary>;
}
const kept = new WeakMap<Server, Kept>();

export function fleetSummary(server: Server): Promise<FleetSummary> {
  const found = kept.get(server);
  if (found && server.elapsed() - found.at < KEPT_MILLISECONDS) return found.summary;
  if (!found) {
    server.events.subscribe("fleet", (event) => {
      if (event.type !== "progress") kept.get(server)!.at = -Infinity;
    });
  }
  const summary = allHosts(server).then(summarise);
  kept.set(server, { at: server.elapsed(), summary });
  return summary;
}

function summarise(hosts: Host[]): FleetSummary {
  const of = (state: string) => hosts.filter((host) => host.state === state).length;
  const needy = hosts.filter((host) => host.urgency >= NEEDS_SOMEBODY)
    .sort((a, b) => b.urgency - a.urgency || (a.name < b.name ? -1 : 1));
  const backedUp = hosts.filter((host) => host.last_success_at !== null)
    .sort((a, b) => a.last_success_at! - b.last_success_at!);
  const [oldest] = backedUp;
  return {
    total: hosts.length,
    ok: of("ok"),
    warn: of("warn"),
    bad: of("bad"),
    running: of("run"),
    offline: hosts.filter((host) => !host.online).length,
    attention: needy.length,
    worst: needy.slice(0, SHOWN).map((host) => ({
      id: host.id,
      name: host.name,
      state: host.state,
      problems: host.problems,
      on_hold: host.on_hold_since !== null,
      job_id: host.repository_state === "failed"
        ? host.repository_job_id
        : host.last_backup?.job_id ?? null,
    })),
    oldest: oldest ? { name: oldest.name, last_success_at: oldest.last_success_at! } : null,
  };
}
