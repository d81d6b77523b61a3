// The bare limit of a live stream: what comes on a WebSocket goes to every reader as a server-sent event, and nothing else.
const readers = new Set<ReadableStreamDefaultController<Uint8Array>>();
const encoder = new TextEncoder();

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
  if (request.headers.get("upgrade") === "websocket") {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      const event = encoder.encode(`data: ${data}\n\n`);
      for (const reader of readers) reader.enqueue(event);
    };
    return response;
  }
  let mine: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void readers.add(mine = controller),
    cancel: () => void readers.delete(mine),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
});
console.log(JSON.stringify({ port: server.addr.port }));
