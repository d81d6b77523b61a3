// The machine and the port of an address.
import { AddressError } from "./path.ts";

export interface Authority {
  user: string;
  /** As it is written, IPv6 addresses in brackets. */
  host: string;
  port: string;
}

const HOST = /^(?:\[[0-9a-f:.]+(?:%25[\w.~-]+)?\]|[^\s/?#@:\\%[\]]+)$/iu;

/** Reads `user@host:port`; undefined when it is nothing of the kind. The last @ ends the user, as in Go's url.Parse. */
export function readAuthority(text: string): Authority | undefined {
  const at = text.lastIndexOf("@");
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text.slice(at + 1));
  const [, host = "", port = ""] = match ?? [];
  if (!match || !HOST.test(host)) return undefined;
  return { user: at < 0 ? "" : text.slice(0, at), host, port };
}

/**
 * One text for all spellings of a machine and a port: no capitals, no dot at the end, international names as DNS has
 * them, no port that is the usual one. Throws AddressError.
 */
export function normaliseHost({ host, port }: Pick<Authority, "host" | "port">, usual: number) {
  const number = port === "" ? usual : Number(port);
  if (number < 1 || number > 65_535) {
    throw new AddressError("must have a port from 1 to 65535");
  }
  return `${normaliseName(host)}${number === usual ? "" : `:${number}`}`;
}

function normaliseName(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "" || name.startsWith(".") || name.includes("..") || name.startsWith("-")) {
    throw new AddressError(
      "must have a host name that neither begins with a dash or dot nor has an empty part",
    );
  }
  const [, address, zone = ""] = /^\[([^%]+)(%25.+)?\]$/.exec(name) ?? [];
  try {
    if (!address) return new URL(`http://${name}`).hostname;
    return new URL(`http://[${address}]`).hostname.replace("]", `${zone}]`);
  } catch {
    // Names such as nas.1 are good enough for a resolver, if not for a browser.
    if (!address && /^[a-z0-9._-]+$/.test(name)) return name;
    throw new AddressError("must have a host that is a name or an IP address");
  }
}
