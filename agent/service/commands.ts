// The subcommands that drive the service.
import { visible } from "../../shared/redact.ts";
import type { Settings } from "../settings.ts";
import { install } from "./install.ts";
import { NssmService } from "./nssm.ts";
import { type Service, ServiceProblem } from "./service.ts";
import { SystemdService } from "./systemd.ts";
import { removeTraces } from "./traces.ts";

export const SERVICE_COMMANDS = ["install", "uninstall", "start", "stop"] as const;
export type ServiceCommand = typeof SERVICE_COMMANDS[number];

export function serviceOfThisSystem(): Service {
  switch (Deno.build.os) {
    case "linux":
      return new SystemdService();
    case "windows":
      return new NssmService();
    default:
      throw new ServiceProblem("Services are known for Linux and Windows only.");
  }
}

/**
 * The settings of the service that is installed here, so that these commands refer to its folders and its restic. What is
 * wrong with its manager the command itself will say.
 */
export async function installedSettings(): Promise<Record<string, string>> {
  try {
    return await serviceOfThisSystem().environment();
  } catch (error) {
    if (error instanceof ServiceProblem) return {};
    throw error;
  }
}

/**
 * False when `install` did all but take the token, which was refused. Throws ServiceProblem, and for `install` what its
 * parts throw.
 */
export async function runServiceCommand(
  command: ServiceCommand,
  settings: Settings,
): Promise<boolean> {
  // What a server said may be among it.
  const print = (text: string) => console.log(visible(text));
  const service = serviceOfThisSystem();
  switch (command) {
    case "install":
      if (!Deno.build.standalone) {
        throw new ServiceProblem("Only the built program can be installed: see deno task build.");
      }
      return await install({ settings, service, environment: (name) => Deno.env.get(name), print });
    case "uninstall": {
      await service.uninstall();
      const left = removeTraces(settings);
      print("The service, its configuration, keys and state are removed.");
      for (const folder of left) print(`Left because of what else is in it: ${folder}`);
      return true;
    }
    case "start":
      await service.start();
      print("The service runs.");
      return true;
    case "stop":
      await service.stop();
      print("The service has stopped.");
      return true;
    default:
      return command satisfies never;
  }
}
