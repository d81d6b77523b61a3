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

export interface Network {
  network: string;
  isWide: boolean;
}

/**
 * The networks that an address belongs to, the narrowest first, for limits on guessing. IPv4: /24, the least that is routed
 * and what one customer of a hoster easily has, then /16. IPv6: /64, one link; /48, what one customer may have, with
 * 65,536 of those; /32, a provider.
 */
export function networksOf(address: string): Network[] {
  const [bare = ""] = address.split("%");
  if (!ipaddr.isValid(bare)) return [{ network: address.slice(0, 100), isWide: false }];
  const parsed = ipaddr.process(bare);
  const lengths = parsed.kind() === "ipv4" ? [24, 16] : [64, 48, 32];
  const base = parsed.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return lengths.map((bits) => ({
    network: `${base.networkAddressFromCIDR(`${parsed}/${bits}`)}/${bits}`,
    isWide: bits === 16 || bits === 32,
  }));
}
