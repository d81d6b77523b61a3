// The systems that programs are built for, under the names that their files carry.
import type { ProgramName } from "./bundle.ts";

export interface Target {
  /** Deno's name of it. */
  triple: string;
  /** The runtime's name in DENORT_CACHE. */
  runtime: string;
  extension: string;
}

export const TARGETS: Record<string, Target> = {
  "linux-x64": {
    triple: "x86_64-unknown-linux-gnu",
    runtime: "denort-linux-x64",
    extension: "",
  },
  "linux-arm64": {
    triple: "aarch64-unknown-linux-gnu",
    runtime: "denort-linux-arm64",
    extension: "",
  },
  "windows-x64": {
    triple: "x86_64-pc-windows-msvc",
    runtime: "denort-win32-x64.exe",
    extension: ".exe",
  },
};

export function fileName(program: ProgramName, target: string): string {
  return `restic-manager-${program}-${target}${TARGETS[target]!.extension}`;
}

/** The target that this machine can run, if there is one. */
export function nativeTarget(): string | undefined {
  return Object.keys(TARGETS).find((name) => TARGETS[name]!.triple === Deno.build.target);
}
