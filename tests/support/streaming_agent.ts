// An agent as a program of its own whose streams bring as many bytes as a path says (`/1024` MiB), for what one does to the other end. Prints
// a line of JSON every 50 ms: how much was made, how many producers run, its memory.
import { openAgent } from "../../agent/open.ts";
import { createLog } from "../../shared/log.ts";

const { directory, server, hostId, bearer, restic } = JSON.parse(Deno.args[0]!);
let made = 0;
let running = 0;
let top = 0;

async function* bytes(mebibytes: number): AsyncGenerator<Uint8Array> {
  running++;
  const piece = new Uint8Array(65_536);
  try {
    for (let n = 0; n < mebibytes * 16; n++) {
      await Promise.resolve();
      made += 65_536;
      yield piece;
    }
  } finally {
    running--;
  }
}

const agent = openAgent({
  settings: {
    configDir: `${directory}/config`,
    stateDir: `${directory}/state`,
    server,
    hostId,
    bearer,
    token: undefined,
    certificateAuthority: undefined,
    brake: undefined,
    restic,
    logLevel: "info",
    logFormat: "text",
  },
  log: createLog("info", (line) => Deno.stderr.writeSync(new TextEncoder().encode(line))),
  pace: { firstRetryMs: 20, slowestRetryMs: 200, heartbeatMs: 50 },
  producers: { folder: (_agent, { path }) => bytes(Number(path.slice(1))) },
});
setInterval(() => {
  top = Math.max(top, Deno.memoryUsage().rss);
  const state = { made, running, top, connected: agent.connection.isAccepted };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(state)}\n`));
}, 50);
Deno.addSignalListener("SIGTERM", async () => {
  await agent.stop();
  Deno.exit(0);
});
