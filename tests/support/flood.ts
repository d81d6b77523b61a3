// A program of its own that is a stolen agent: it sends as fast as it can, acknowledged or not, and comes again when it is closed.
// Arguments: URL, bearer, job id, kind of flood. It says on each second how many frames it has sent, and every close.
import { PROTOCOL_VERSION } from "../../shared/protocol.ts";

const [url, bearer, job_id, kind] = Deno.args as [string, string, string, string];
let [seq, sent, closed] = [0, 0, 0];

const FRAMES: Record<string, () => unknown> = {
  lines: () => batch(500, "x".repeat(300)),
  "short lines": () => batch(1, "x"),
  "unknown types": () => ({ type: "nonsense" }),
  plans: () => ({ type: "plan.ack", plan_version: 1 }),
};

function batch(count: number, text: string): unknown {
  const lines = new Array(count).fill({ at: 1, stream: "stdout", text });
  return { type: "log.stream", seq: ++seq, job_id, first_line: seq * 500, lines };
}

function connect(): void {
  const headers = { Authorization: `Bearer ${bearer}` };
  const socket = new WebSocket(
    `${url.replace("http", "ws")}/ws/agent`,
    { headers } as unknown as string[],
  );
  socket.onopen = () => {
    socket.send(JSON.stringify({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      agent_version: "0.1.0",
      restic_version: "0.18.0",
      hostname: "machine",
      os: "linux",
      arch: "x86_64",
      boot_time: 1,
      clock: Date.now(),
      plan_version: 0,
      jobs: [job_id],
    }));
    pump(socket);
  };
  socket.onerror = (event) => event.preventDefault();
  socket.onclose = () => {
    closed++;
    setTimeout(connect, 50);
  };
}

function pump(socket: WebSocket): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  for (let n = 0; n < 200 && socket.bufferedAmount < 4_000_000; n++) {
    socket.send(JSON.stringify(FRAMES[kind]!()));
    sent++;
  }
  setTimeout(() => pump(socket), 1);
}

connect();
setInterval(() => console.log(JSON.stringify({ sent, closed })), 250);
