// For which addresses a machine's proof may be made: those of this server and no other, so that a proof that someone in between
// hands on is worth nothing here.
import ipaddr from "ipaddr.js";
import { isLoopback, nameOf, serverAddress } from "../shared/server_address.ts";
import type { Server } from "./server.ts";

/** The addresses of this machine's interfaces. */
export type Interfaces = () => string[];

const interfaces: Interfaces = () => Deno.networkInterfaces().map(({ address }) => address);

/**
 * Why an address that was dialled (as serverAddress() writes it) is not this server's; undefined when it is. With RM_BASE_URL
 * that alone is; without it plain HTTP to an address on which this server listens, which is one of this machine's own. `peer` is
 * the other end of the connection: loopback means this machine only to who is on it.
 */
export function whyNotOurs(
  { settings, listening }: Pick<Server, "settings" | "listening">,
  dialled: string,
  peer: string,
  own: Interfaces = interfaces,
): string | undefined {
  if (settings.baseUrl !== null) {
    const ours = serverAddress(settings.baseUrl);
    return dialled === ours
      ? undefined
      : `it dialled ${dialled}, and RM_BASE_URL of this server is ${settings.baseUrl}`;
  }
  const refused =
    `it dialled ${dialled}, which is no address of this machine with the port that this server listens on. Where a proxy, a port mapping or a name leads here, RM_BASE_URL is needed: set it to the address that agents dial`;
  if (!listening || !dialled.startsWith("http://")) return refused;
  if (!dialled.endsWith(`:${listening.port}`)) return refused;
  const name = nameOf(dialled);
  if (isLoopback(dialled)) {
    return isLoopbackPeer(peer) && listensOnLoopback(listening.hostname, name)
      ? undefined
      : refused;
  }
  return listensOn(listening.hostname, name, own) ? undefined : refused;
}

export function isLoopbackPeer(peer: string): boolean {
  return ipaddr.isValid(peer) && ipaddr.process(peer).range() === "loopback";
}

function listensOnLoopback(hostname: string, name: string): boolean {
  if (isEverywhere(hostname)) return true;
  if (name === "localhost" || name.endsWith(".localhost")) return isLoopbackPeer(hostname);
  return same(hostname, name);
}

function listensOn(hostname: string, name: string, own: Interfaces): boolean {
  if (!isEverywhere(hostname)) return same(hostname, name);
  return own().some((address) => same(address, name));
}

function isEverywhere(hostname: string): boolean {
  return ipaddr.isValid(hostname) && ipaddr.process(hostname).range() === "unspecified";
}

function same(a: string, b: string): boolean {
  const [x, y] = [bare(a), bare(b)];
  return ipaddr.isValid(x) && ipaddr.isValid(y) &&
    ipaddr.process(x).toString() === ipaddr.process(y).toString();
}

function bare(address: string): string {
  return address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
}
