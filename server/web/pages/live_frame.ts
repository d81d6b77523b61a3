// What is live in the frame of every page, and on a page that has nothing else.
import type { Child } from "hono/jsx";
import { FleetState, Notice } from "../../../templates/layout.tsx";
import { type FleetSummary, fleetSummary } from "../../hosts/fleet.ts";
import type { Server } from "../../server.ts";
import { fragment } from "../live.ts";
import { onceForAll } from "../shared_fragments.ts";
import { noticeText } from "./page.ts";

/** What is in the frame of every page. */
export function frameFragments(server: Server): Promise<Uint8Array>[] {
  return [
    fragment(server, "fleet", () => fleetState(server)),
    fragment(server, "notice", () => Notice({ text: noticeText(server) })),
  ];
}

/** Once a round: between its slices each change makes the fleet's own summary out of date. */
export function summaryOf(server: Server): Promise<FleetSummary> {
  return onceForAll(server, "summary", () => fleetSummary(server));
}

export async function fleetState(server: Server): Promise<Child> {
  return FleetState({ fleet: await summaryOf(server) });
}
