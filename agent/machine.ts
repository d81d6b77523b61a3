// What the server is told about this machine.

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

/** The name under which the machine announces itself: what the server takes as a host's name (shared/fields.ts). */
export function announcedName(hostname: string): string {
  const name = hostname.replace(/[^\p{L}\p{N}\p{M}._-]/gu, "-").replace(/^[^\p{L}\p{N}]+/u, "");
  return name.slice(0, 200) || "unnamed";
}
