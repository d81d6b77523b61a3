// HTTP as no client writes it: a request of any bytes, and the answer as it came.

export interface RawAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** Sends the text as it is; it must ask for `Connection: close`, since the answer is read to its end. */
export async function rawHttp(url: string, request: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const bytes = new TextEncoder().encode(request);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  const text = await new Response(connection.readable).text();
  const [head = "", ...body] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(first.split(" ")[1]), headers, body: body.join("\r\n\r\n") };
}

/** A GET with this Host header and path, whatever they hold. */
export function rawGet(
  url: string,
  path: string,
  { host = new URL(url).host, method = "GET", headers = {} }: {
    host?: string;
    method?: string;
    headers?: Record<string, string>;
  } = {},
): Promise<RawAnswer> {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return rawHttp(
    url,
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`,
  );
}
