// Programs that come from the operating system: found on PATH, or installed by this system's package manager.

const MANAGERS: Record<string, { prepare?: string[]; install: string[] }> = {
  "apt-get": {
    prepare: ["apt-get", "update", "-qq"],
    install: ["apt-get", "install", "-y", "-qq", "--no-install-recommends"],
  },
  dnf: { install: ["dnf", "install", "-y"] },
  zypper: { install: ["zypper", "--non-interactive", "install"] },
  pacman: { install: ["pacman", "-S", "--noconfirm"] },
  apk: { install: ["apk", "add"] },
  brew: { install: ["brew", "install"] },
};

export async function isOnPath(program: string): Promise<boolean> {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  for (const folder of folders.filter(Boolean)) {
    const file = `${folder}/${program}${Deno.build.os === "windows" ? ".exe" : ""}`;
    if (await Deno.stat(file).then((info) => info.isFile, () => false)) return true;
  }
  return false;
}

/** Installs packages with the system's own manager, saying what it runs. False when it cannot. */
export async function install(packages: string[]): Promise<boolean> {
  for (const [name, { prepare, install }] of Object.entries(MANAGERS)) {
    if (!await isOnPath(name)) continue;
    const sudo = Deno.uid() === 0 || name === "brew" ? [] : ["sudo"];
    if (sudo.length > 0 && !await isOnPath("sudo")) return false;
    if (prepare) await run([...sudo, ...prepare]);
    return await run([...sudo, ...install, ...packages]);
  }
  return false;
}

async function run(command: string[]): Promise<boolean> {
  console.log(`  running: ${command.join(" ")}`);
  const { success } = await new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: "null",
    stdout: "null",
    env: { DEBIAN_FRONTEND: "noninteractive" },
  }).output();
  return success;
}
