// The bare limit of a fleet's server: takes any agent's socket, answers each message with the least that the agent needs,
// keeps nothing. Beside it one page of hosts, without a query and without a session.
import { Hono } from "hono";

const rows = Number(Deno.args[0]);
const app = new Hono();
const sockets = new Set<WebSocket>();

app.get("/ws/agent", (c) => {
  const { socket, response } = Deno.upgradeWebSocket(c.req.raw, { idleTimeout: 90 });
  sockets.add(socket);
  socket.onclose = () => sockets.delete(socket);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "hello") return onHello(socket);
    socket.send(JSON.stringify({ type: "report.ack", up_to: message.seq ?? 0 }));
  };
  return response;
});

function onHello(socket: WebSocket): void {
  socket.send(JSON.stringify({
    type: "config.update",
    snapshot_host: "bench",
    repository: null,
    bandwidth_up_kib_per_s: null,
    bandwidth_down_kib_per_s: null,
  }));
}

app.get("/", (c) => c.html(`<!doctype html>${<Page />}`));

function Page() {
  return (
    <html lang="en">
      <head>
        <title>Hosts</title>
      </head>
      <body>
        <table>
          {Array.from({ length: rows }, (_, n) => <HostLine n={n} />)}
        </table>
      </body>
    </html>
  );
}

/** About as long as a host's row on the dashboard. */
function HostLine({ n }: { n: number }) {
  return (
    <tr id={`host-${n}`} class="host">
      {["name", "os", "last backup", "days", "size", "snapshots", "next run"].map((name) => (
        <td class="num desk muted" title={`${name} of host ${n}, which is known since a month ago`}>
          <a href={`/hosts/${n}/${name}`} class="button slim">
            <span class="state ok">{name}</span>
            {" of host "}
            {n}
          </a>
        </td>
      ))}
    </tr>
  );
}

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
console.log(JSON.stringify({ port: server.addr.port }));
