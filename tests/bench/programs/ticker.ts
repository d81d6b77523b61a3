// Says the time, every 20 ms for so many seconds: on standard output, or to a WebSocket.
const [seconds, url] = Deno.args;
const socket = url ? new WebSocket(url) : undefined;
if (socket) await new Promise((resolve) => socket.onopen = resolve);
const encoder = new TextEncoder();
const until = performance.now() + Number(seconds) * 1000;

while (performance.now() < until) {
  const text = `tick ${(performance.timeOrigin + performance.now()).toFixed(2)}`;
  if (socket) socket.send(text);
  else Deno.stdout.writeSync(encoder.encode(`${text}\n`));
  await new Promise((resolve) => setTimeout(resolve, 20));
}
socket?.close();
