// The agent as a service of the operating system: systemd on Linux, NSSM around the same program on Windows.

export const SERVICE_NAME = "restic-manager-agent";

/** The code with which the agent ends when starting it again would not help. */
export const DO_NOT_RESTART = 7;

export type ServiceState =
  | "not installed"
  | "stopped"
  | "running"
  | "starting"
  | "stopping"
  /** It ended by itself, and the service manager waits before the next try. */
  | "failing";

export interface ServiceOptions {
  /** The program's own path. */
  program: string;
  configDir: string;
  stateDir: string;
  /** Settings that the service gets in its environment, beside those that it has from before. */
  environment: Record<string, string>;
}

/** Each throws ServiceProblem with a sentence for the person at the console; `install` also NoServiceManager. */
export interface Service {
  /** Registers the service, or renews what is registered. It starts with the machine; now it is not started. */
  install(options: ServiceOptions): Promise<void>;
  /** Stops and removes it. Nothing happens when there is none. */
  uninstall(): Promise<void>;
  /** Returns when it runs. */
  start(): Promise<void>;
  /** Returns when it has ended. */
  stop(): Promise<void>;
  state(): Promise<ServiceState>;
  /** The settings that the installed service has in its environment; empty when there is none. */
  environment(): Promise<Record<string, string>>;
}

/** The service manager did not do what it was asked to. */
export class ServiceProblem extends Error {
  override name = "ServiceProblem";
}

/** There is nothing here that could run a service; the message says what to do instead. */
export class NoServiceManager extends Error {
  override name = "NoServiceManager";
}

export function mustBeInstalled(state: ServiceState): void {
  if (state !== "not installed") return;
  throw new ServiceProblem("The service is not installed: run restic-manager-agent install.");
}

/** Asks until the state is among the wanted ones. Throws when it does not come to that. */
export async function waitForState(
  service: Pick<Service, "state">,
  wanted: ServiceState[],
  withinMs: number,
): Promise<ServiceState> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const state = await service.state();
    if (wanted.includes(state)) return state;
    if (performance.now() > deadline) {
      throw new ServiceProblem(
        `The service is still ${state} after ${Math.round(withinMs / 1000)} s.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Lines such as NAME=value. What is none is left out. */
export function readEnvironment(text: string): Record<string, string> {
  const pairs = text.split("\n").map((line) => /^(RM_[A-Z_]+)=(.*)$/.exec(line.trim()));
  return Object.fromEntries(pairs.flatMap((pair) => pair ? [[pair[1]!, pair[2]!]] : []));
}
