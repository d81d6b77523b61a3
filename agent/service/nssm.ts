// The service on Windows. NSSM (nssm.exe beside the agent) starts the agent, keeps its output in files, starts it again
// after a crash, and stops it by Ctrl-C, which reaches restic too: so restic removes its lock.
import { dirname, join } from "node:path";
import { makePrivateDirectory } from "../files.ts";
import { runTool } from "./run_tool.ts";
import {
  DO_NOT_RESTART,
  mustBeInstalled,
  readEnvironment,
  type Service,
  SERVICE_NAME,
  type ServiceOptions,
  ServiceProblem,
  type ServiceState,
  waitForState,
} from "./service.ts";

const STATES: Record<string, ServiceState> = {
  SERVICE_STOPPED: "stopped",
  SERVICE_RUNNING: "running",
  SERVICE_START_PENDING: "starting",
  SERVICE_CONTINUE_PENDING: "starting",
  SERVICE_STOP_PENDING: "stopping",
  SERVICE_PAUSED: "failing",
};
const NO_SUCH_SERVICE = 3;
const STOP_CONSOLE_MS = 15_000;
// NSSM's further ways of ending a program take a few seconds more.
const STOP_WITHIN_MS = STOP_CONSOLE_MS + 15_000;
const START_WITHIN_MS = 60_000;

/** What is told to NSSM, in the order in which it is told. */
export function nssmSettings(options: ServiceOptions): string[][] {
  const log = join(options.stateDir, "logs", "agent.log");
  const environment = Object.entries(options.environment).map(([name, value]) =>
    `${name}=${value}`
  );
  return [
    ["Application", options.program],
    ["AppParameters", "run"],
    ["AppDirectory", options.stateDir],
    ["DisplayName", "restic-manager agent"],
    ["Description", "Runs restic on this machine as the restic-manager server says."],
    ["ObjectName", "LocalSystem"],
    ["Start", "SERVICE_AUTO_START"],
    ["AppStdout", log],
    ["AppStderr", log],
    ["AppRotateFiles", "1"],
    ["AppRotateOnline", "1"],
    ["AppRotateBytes", "10485760"],
    // Ctrl-C, and time for restic to remove its lock. NSSM's later stages stay: what ignores this is ended.
    ["AppStopMethodConsole", String(STOP_CONSOLE_MS)],
    ["AppExit", "Default", "Restart"],
    ["AppExit", String(DO_NOT_RESTART), "Exit"],
    ["AppRestartDelay", "10000"],
    ["AppEnvironmentExtra", ...environment],
  ];
}

export class NssmService implements Service {
  /** `nssm` is the path of nssm.exe. */
  constructor(private readonly nssm: string = join(dirname(Deno.execPath()), "nssm.exe")) {}

  async install(options: ServiceOptions): Promise<void> {
    makePrivateDirectory(join(options.stateDir, "logs"));
    if (await this.state() === "not installed") {
      await this.#must(["install", SERVICE_NAME, options.program]);
    }
    const environment = { ...await this.environment(), ...options.environment };
    for (const [name, ...values] of nssmSettings({ ...options, environment })) {
      await this.#must(["set", SERVICE_NAME, name!, ...values]);
    }
  }

  async uninstall(): Promise<void> {
    if (await this.state() === "not installed") return;
    await this.stop();
    await this.#must(["remove", SERVICE_NAME, "confirm"]);
  }

  async start(): Promise<void> {
    const before = await this.state();
    mustBeInstalled(before);
    if (before === "running") return;
    // A service that waits before its next try does not take a start.
    if (before === "failing") await this.stop();
    // Its exit code says "failed" also when the service only takes its time.
    await this.#nssm(["start", SERVICE_NAME]);
    const state = await waitForState(this, ["running", "failing", "stopped"], START_WITHIN_MS);
    if (state !== "running") {
      throw new ServiceProblem("The service ends as soon as it starts; its log says why.");
    }
  }

  async stop(): Promise<void> {
    mustBeInstalled(await this.state());
    const deadline = performance.now() + STOP_WITHIN_MS;
    do {
      // Its exit code says "failed" when the service takes more than three seconds; and one that comes while the agent is
      // just started again after a crash can get lost.
      await this.#nssm(["stop", SERVICE_NAME]);
      const state = await waitForState(this, ["stopped", "running", "failing"], STOP_WITHIN_MS);
      if (state === "stopped") return;
    } while (performance.now() < deadline);
    throw new ServiceProblem(`The service does not stop within ${STOP_WITHIN_MS / 1000} s.`);
  }

  async state(): Promise<ServiceState> {
    const { code, text } = await this.#nssm(["status", SERVICE_NAME]);
    if (code === NO_SUCH_SERVICE) return "not installed";
    const state = STATES[text];
    if (state) return state;
    throw new ServiceProblem(`nssm status answered ${code}: ${text}`);
  }

  async environment(): Promise<Record<string, string>> {
    const { code, text } = await this.#nssm(["get", SERVICE_NAME, "AppEnvironmentExtra"]);
    return code === 0 ? readEnvironment(text) : {};
  }

  async #must(args: string[]): Promise<void> {
    const { code, text } = await this.#nssm(args);
    if (code !== 0) throw new ServiceProblem(`nssm ${args[0]} answered ${code}: ${text}`);
  }

  #nssm(args: string[]) {
    try {
      Deno.statSync(this.nssm);
    } catch {
      throw new ServiceProblem(
        `${this.nssm} is needed and is not there. Put NSSM 2.24 (64-bit) beside the agent.`,
      );
    }
    return runTool(this.nssm, args);
  }
}
