// What the server is told about this machine.
import { announcedHostName } from "../shared/fields.ts";

export interface Machine {
  hostname: string;
  os: string;
  arch: string;
  /** Milliseconds since 1970. */
  bootTime: number | null;
}

export function describeMachine(): Machine {
  return {
    hostname: Deno.hostname().slice(0, 255),
    os: Deno.build.os,
    arch: Deno.build.arch,
    bootTime: Math.max(0, Math.round(Date.now() - Deno.osUptime() * 1000)),
  };
}

/** The name under which the machine announces itself: what the server takes as an announced name (shared/fields.ts). */
export function announcedName(hostname: string): string {
  const composed = hostname.normalize("NFC").replace(/[^\p{L}\p{N}\p{M}._-]/gu, "-")
    .replace(/^[^\p{L}\p{N}]+/u, "");
  const name = [...composed].slice(0, 100).join("");
  return announcedHostName.safeParse(name).data ?? (name.replace(/[^\w.-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "") || "unnamed");
}
