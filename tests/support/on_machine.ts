// A server that hands out this checkout's agent, and a machine to install it on.
import { join } from "node:path";
import { buildForTests } from "./compiled.ts";
import { firstOf, missingProgram, testUnless } from "./left_out.ts";
import { Machine, missingForMachine } from "./machine.ts";
import { Fleet } from "./programs.ts";

export const AGENT = `restic-manager-agent-linux-${
  Deno.build.arch === "aarch64" ? "arm64" : "x64"
}`;

const missingCurl = await missingProgram("curl");

/** A test of the installer. `missing`: what else it lacks here. */
export function onMachine(
  name: string,
  body: (machine: Machine, fleet: Fleet) => Promise<void>,
  missing?: string,
): void {
  testUnless(firstOf(missingForMachine(), missingCurl, missing), name, async () => {
    await using machine = await Machine.start();
    const programs = await buildForTests();
    try {
      await using fleet = await Fleet.start();
      const folder = join(fleet.dataDir, "agent-binaries");
      await Deno.mkdir(folder);
      await Deno.copyFile(join(programs, "restic-manager-agent"), join(folder, AGENT));
      await body(machine, fleet);
    } finally {
      await Deno.remove(programs, { recursive: true });
    }
  });
}

/** The installer as a pipe brings it. */
export const pipe = (url: string, shell = "sh", args = "") =>
  `set -o pipefail; curl -fsSL ${url}/install/install.sh | ${shell} ${args}`;
