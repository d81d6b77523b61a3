import ipaddr from "ipaddr.js";

/** What limits count as one source: an IPv4 address, or the /64 of an IPv6 one, since each customer has at least that much. */
export function networkOf(address: string): string {
  const [bare = ""] = address.split("%");
  if (!ipaddr.isValid(bare)) return address;
  const parsed = ipaddr.process(bare);
  if (parsed.kind() === "ipv4") return parsed.toString();
  const parts = (parsed as ipaddr.IPv6).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(":")}::/64`;
}
