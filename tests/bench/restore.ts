// A restore through the agent beside the same restore by hand, of the same snapshot: 20,000 files and 500 MB. The agent lists what must come
// before it begins, and looks at each file afterwards; by hand nobody does.
import { join } from "node:path";
import { Fleet } from "../support/programs.ts";
import {
  byHandIn,
  type Cost,
  ended,
  FILES,
  makeFiles,
  PASSWORD,
  restic,
  resticPath,
  settle,
} from "./backup.ts";
import { processorOf } from "./sides.ts";
import type { Row } from "./table.ts";

let agentGoesFirst = false;

export async function benchRestore(): Promise<Row[]> {
  await makeFiles();
  await using fleet = await Fleet.start();
  const url = join(fleet.folder, "repository");
  const repository = { name: "bench", url, password: PASSWORD, is_new: true };
  const host = await fleet.join("alpha", repository, [FILES], { RM_RESTIC: resticPath() });
  await fleet.repositoryReady(host);
  await ended(fleet, await fleet.run(host));
  const { items: [{ id }] } = await fleet.api("GET", `/api/hosts/${host}/snapshots`);
  const { pid } = fleet.agent("alpha");
  const through = async (): Promise<Cost> => {
    await settle();
    const before = processorOf(pid);
    const target = { kind: "folder", path: join(fleet.folder, "through the agent") };
    const input = { kind: "restore", snapshot_id: id, items: [{ path: FILES }], target };
    const job = await ended(fleet, await fleet.run(host, input));
    const wall = (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000;
    return { wall, cpu: processorOf(pid) - before };
  };
  const byHand = async (): Promise<Cost> => {
    await settle();
    const env = byHandIn(url, join(fleet.folder, "cache"));
    const target = join(fleet.folder, "by hand");
    return await restic(env, `restore ${id} --json --target='${target}' --include='${FILES}'`);
  };
  agentGoesFirst = !agentGoesFirst;
  const first = agentGoesFirst ? await through() : undefined;
  const hand = await byHand();
  const agent = first ?? await through();
  return (["wall", "cpu"] as const).map((what) => ({
    measure: `restore of 20,000 files, 500 MB: ${what === "wall" ? "wall" : "CPU"}`,
    limit: "by hand: restore",
    goal: "≤ 1.05",
    ratio: agent[what] / hand[what],
    detail: `${agent[what].toFixed(2)} against ${hand[what].toFixed(2)} s`,
  }));
}
