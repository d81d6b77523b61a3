// A server as someone dials it. An agent signs this text, and the server compares it with what it knows to be its own
// address, so both must write one address in one way.

/**
 * `scheme://name:port` of an http, https, ws or wss URL: in small letters, international names as DNS has them (punycode),
 * IPv6 in brackets and IPv4 in its usual form, no dot at the end, the port always there. Undefined for what is no such URL.
 */
export function serverAddress(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  const scheme = { "http:": "http", "ws:": "http", "https:": "https", "wss:": "https" }[
    url.protocol
  ];
  const name = asIPv4(url.hostname).replace(/\.$/, "");
  if (!scheme || !name) return undefined;
  return `${scheme}://${name}:${url.port || (scheme === "http" ? "80" : "443")}`;
}

/** Whether the address can only be dialled on the machine itself. */
export function isLoopback(address: string): boolean {
  const name = nameOf(address);
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(name);
}

/** Whether what is said to that address can be read on its way: no TLS, and not on the machine itself. */
export function canBeReadOnTheWay(address: string): boolean {
  return address.startsWith("http://") && !isLoopback(address);
}

/** The name or IP address in an address of serverAddress(). */
export function nameOf(address: string): string {
  return address.replace(/^https?:\/\//, "").replace(/:\d+$/, "");
}

/** IPv4 in the clothes of IPv6 (::ffff:7f00:1, as URL writes it) is that IPv4 address. */
function asIPv4(name: string): string {
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(name);
  if (!match) return name;
  const [high, low] = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
