// The service on Linux.
import { join } from "node:path";
import unit from "../../deploy/restic-manager-agent.service" with { type: "text" };
import { readIfThere, replaceFile } from "../files.ts";
import { runTool } from "./run_tool.ts";
import {
  mustBeInstalled,
  NoServiceManager,
  readEnvironment,
  type Service,
  SERVICE_NAME,
  type ServiceOptions,
  ServiceProblem,
  type ServiceState,
  waitForState,
} from "./service.ts";

const UNIT_PATH = `/etc/systemd/system/${SERVICE_NAME}.service`;
const STOP_WITHIN_MS = 60_000;
const START_WITHIN_MS = 60_000;
const PROGRAM = "/usr/local/bin/restic-manager-agent";
export const ENVIRONMENT_FILE = "agent.env";

/** The unit, with this program's own path in it. */
export function unitFor(program: string, configDir: string): string {
  const lines = unit.replace(PROGRAM, program)
    .replace("/etc/restic-manager/agent.env", join(configDir, ENVIRONMENT_FILE));
  if (/[\s"'\\$%]/.test(program + configDir)) {
    throw new ServiceProblem(
      `systemd cannot start a program or read a folder with such a name: ${program}, ${configDir}.`,
    );
  }
  return lines;
}

export class SystemdService implements Service {
  async install(options: ServiceOptions): Promise<void> {
    if (!isSystemd()) {
      throw new NoServiceManager(
        `There is no systemd here. Let what starts programs on this machine run as root: ${options.program} run`,
      );
    }
    const { configDir } = options;
    const path = join(configDir, ENVIRONMENT_FILE);
    const environment = { ...readEnvironment(textOf(path)), ...options.environment };
    const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
    replaceFile(path, lines.join(""));
    replaceFile(UNIT_PATH, unitFor(options.program, configDir));
    Deno.chmodSync(UNIT_PATH, 0o644);
    await must(["daemon-reload"]);
    await must(["enable", SERVICE_NAME]);
  }

  async uninstall(): Promise<void> {
    if (await this.state() === "not installed") return;
    await must(["disable", "--now", SERVICE_NAME]);
    Deno.removeSync(UNIT_PATH);
    await must(["daemon-reload"]);
  }

  async start(): Promise<void> {
    mustBeInstalled(await this.state());
    // Also what failed before may start.
    await runTool("systemctl", ["reset-failed", SERVICE_NAME]);
    await must(["start", SERVICE_NAME]);
    await waitForState(this, ["running"], START_WITHIN_MS);
  }

  async stop(): Promise<void> {
    mustBeInstalled(await this.state());
    await must(["stop", SERVICE_NAME]);
    await waitForState(this, ["stopped", "failing", "not installed"], STOP_WITHIN_MS);
  }

  async state(): Promise<ServiceState> {
    if (!isSystemd()) return "not installed";
    const { text } = await runTool("systemctl", [
      "show",
      "--property=LoadState,ActiveState",
      SERVICE_NAME,
    ]);
    if (/^LoadState=not-found$/m.test(text)) return "not installed";
    switch (/^ActiveState=(\S+)$/m.exec(text)?.[1]) {
      case "active":
        return "running";
      case "activating":
      case "reloading":
        return "starting";
      case "deactivating":
        return "stopping";
      case "failed":
        return "failing";
      case "inactive":
        return "stopped";
      default:
        throw new ServiceProblem(`systemctl does not say how the service is: ${text}`);
    }
  }

  environment(): Promise<Record<string, string>> {
    return Promise.resolve(environmentOf(textOf(UNIT_PATH)));
  }
}

/** Of the line that unitFor writes. */
function environmentOf(unit: string): Record<string, string> {
  const path = /^EnvironmentFile=-(\/\S+)$/m.exec(unit)?.[1];
  return path ? readEnvironment(textOf(path)) : {};
}

/** As sd_booted(3) asks. */
function isSystemd(): boolean {
  try {
    return Deno.statSync("/run/systemd/system").isDirectory;
  } catch {
    return false;
  }
}

async function must(args: string[]): Promise<void> {
  const { code, text } = await runTool("systemctl", args);
  if (code !== 0) throw new ServiceProblem(`systemctl ${args[0]} answered ${code}: ${text}`);
}

function textOf(path: string): string {
  return new TextDecoder().decode(readIfThere(path));
}
