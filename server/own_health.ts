// The server's own /healthz, asked through its socket as anybody else would.

export interface Address {
  hostname: string;
  port: number;
}

export interface HealthAnswer {
  status: number;
  body: string;
}

const MOST_BYTES = 16_384;

/** Where a program on the same machine reaches what listens on this address. */
export function urlHere({ hostname, port }: Address): string {
  const host = reachable(hostname);
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Asks on a connection of its own: fetch() would take one that is open already, or a proxy, and neither shows whether
 * the server still takes connections. Throws what the connection threw, or an Error when the answer is not HTTP.
 */
export async function askHealth(address: Address, signal: AbortSignal): Promise<HealthAnswer> {
  const hostname = reachable(address.hostname);
  const connection = await Deno.connect({ hostname, port: address.port, signal });
  const close = () => connection.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const host = new URL(urlHere(address)).host;
    const request = `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    // So few bytes that the system takes them at once.
    await connection.write(new TextEncoder().encode(request));
    return parse(await readAll(connection));
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) close();
  }
}

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const piece = new Uint8Array(4096);
  let text = "";
  while (text.length < MOST_BYTES) {
    const bytes = await connection.read(piece);
    if (bytes === null) break;
    text += decoder.decode(piece.subarray(0, bytes), { stream: true });
  }
  return text;
}

function parse(text: string): HealthAnswer {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (!status) throw new Error("the connection ended without an answer");
  const body = text.indexOf("\r\n\r\n");
  return { status: Number(status), body: body < 0 ? "" : text.slice(body + 4).trim() };
}

function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}
