// How old a line is when a reader of the job's live stream gets it: printed by restic, batched and journaled by the
// agent, stored by the server, sent to every reader. Beside it a WebSocket whose messages go straight to the readers.
import { fileURLToPath } from "node:url";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { Fleet } from "../support/programs.ts";
import { quiet, Side } from "./sides.ts";
import type { Row } from "./table.ts";

/** Long enough for the readers to come and to measure. */
const TICKER_SECONDS = 8;
const MEASURE_SECONDS = 5;
const CASES = [
  { what: "the API's stream", path: "/api/jobs/:id/stream", readers: 1 },
  { what: "the API's stream", path: "/api/jobs/:id/stream", readers: 10 },
  { what: "the API's stream", path: "/api/jobs/:id/stream", readers: 100 },
  { what: "the page's stream", path: "/live/jobs/:id", readers: 10 },
];

/** As many live streams as one user may have: server/open_streams.ts. */
const LIVE_PER_USER = 20;

interface Ages {
  p50: number;
  p99: number;
  count: number;
}

export async function benchLatency(): Promise<Row[]> {
  await using fleet = await Fleet.start();
  const host = await joinTicker(fleet);
  const people = Math.ceil(Math.max(...CASES.map(({ readers }) => readers)) / LIVE_PER_USER);
  const tokens: string[] = [];
  for (let n = 0; n < people; n++) tokens.push(await fleet.newUser(`reader-${n}`, "viewer"));
  const rows: Row[] = [];
  for (const { what, path, readers } of CASES) {
    await quiet();
    const jobId = await fleet.run(host);
    await fleet.jobIs(jobId, "running");
    const url = fleet.url + path.replace(":id", jobId);
    const ours = await agesAt(url, tokens.map((token) => `Bearer ${token}`).join(), readers);
    await fleet.jobIs(jobId, "succeeded");
    const echo = await throughEcho(readers);
    for (const [name, goal] of [["p50", "≤ 100 ms"], ["p99", "≤ 400 ms"]] as const) {
      rows.push({
        measure: `age of a line at ${readers} open ${
          readers === 1 ? "reader" : "readers"
        } of ${what}: ${name}`,
        limit: "bare WebSocket to SSE echo",
        goal,
        ratio: ours[name],
        unit: "ms",
        detail: `${(ours[name] - echo[name]).toFixed(1)} ms more than the echo's ` +
          `${echo[name].toFixed(1)} ms; ${ours.count} lines`,
      });
    }
  }
  return rows;
}

async function joinTicker(fleet: Fleet): Promise<string> {
  const ticker = fileURLToPath(new URL("programs/ticker.ts", import.meta.url));
  const restic = new FakeRestic(fleet.folder, {
    verbs: {
      backup: `'${Deno.execPath()}' run --no-check '${ticker}' ${TICKER_SECONDS}\n${SUMMARY}`,
      snapshots: LISTED,
    },
  });
  const repository = { name: "bench", url: "/srv/bench", password: "a password", is_new: true };
  const host = await fleet.join("alpha", repository, ["/a"], { RM_RESTIC: restic.path });
  await fleet.repositoryReady(host);
  return host;
}

/** `authorizations`: with commas between them; the readers take turns with them. */
async function agesAt(url: string, authorizations: string, readers: number): Promise<Ages> {
  await using side = Side.start("readers.ts", url, authorizations, readers, MEASURE_SECONDS);
  const ages = await side.next();
  if (!ages?.count) throw new Error(`nothing was heard from ${url}`);
  return ages;
}

async function throughEcho(readers: number): Promise<Ages> {
  await using echo = Side.start("echo.ts");
  const { port } = await echo.next();
  await using _ticker = Side.start("ticker.ts", TICKER_SECONDS, `ws://127.0.0.1:${port}/`);
  return await agesAt(`http://127.0.0.1:${port}/`, "", readers);
}
