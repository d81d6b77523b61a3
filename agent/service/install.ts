// `install`: this machine joins where it was given a token, and the agent becomes a service. Run again it is an upgrade:
// what the machine is to the server stays.
import { fingerprintGroups } from "../../shared/announce.ts";
import { Unanswered } from "../ask_server.ts";
import { enrol } from "../enrol.ts";
import { makePrivateDirectory } from "../files.ts";
import { clientFor } from "../http_client.ts";
import { openIdentity } from "../identity.ts";
import { createLog } from "../log.ts";
import { ResticFinder } from "../restic/version.ts";
import { saveAgentFile, type Settings, WrongSetting } from "../settings.ts";
import { holdStateDirectory } from "../single.ts";
import { protectFolder } from "./acl.ts";
import { NoServiceManager, type Service, ServiceProblem } from "./service.ts";

// What the service cannot find out by itself. Server and token go into agent.yaml.
const PASSED_ON = ["RM_RESTIC", "RM_LOG_LEVEL"];
const ANSWER_WITHIN_MS = 60_000;

export interface Installation {
  settings: Settings;
  service: Service;
  environment: (name: string) => string | undefined;
  print: (text: string) => void;
}

/**
 * Without a service manager the machine joins all the same, and what to run is said. Throws ServiceProblem, WrongSetting,
 * EnrolmentRefused or CorruptFile, each with its sentence.
 */
export async function install({ settings, service, environment, print }: Installation) {
  const { configDir, stateDir, server } = settings;
  if (!server) {
    throw new WrongSetting(
      "Set RM_SERVER to the server's address, such as https://backup.example.org.",
    );
  }
  for (const folder of new Set([configDir, stateDir])) {
    makePrivateDirectory(folder);
    await protectFolder(folder);
  }
  saveAgentFile(configDir, { server });
  if (!settings.bearer) {
    if (settings.token && await service.state() === "running") await service.stop();
    await join({ ...settings, server }, print);
  }
  const options = {
    program: Deno.execPath(),
    configDir,
    stateDir,
    environment: {
      // The same folders whatever the service's own account calls its folder for program data.
      RM_CONFIG_DIR: configDir,
      RM_STATE_DIR: stateDir,
      ...Object.fromEntries(PASSED_ON.flatMap((name) => {
        const value = environment(name);
        return value ? [[name, value]] : [];
      })),
    },
  };
  await service.install(options).then(
    () => print("The service is installed. Start it with: restic-manager-agent start"),
    (error) => {
      if (!(error instanceof NoServiceManager)) throw error;
      print(error.message);
    },
  );
}

/** With a token now, while somebody sees what the server says; without one the service asks, and a person approves. */
async function join(settings: Settings & { server: string }, print: (text: string) => void) {
  const { token } = settings;
  if (!token) {
    const { fingerprint } = openIdentity(settings.stateDir);
    print(`This machine will wait for approval at ${settings.server} with\n`);
    print(`  fingerprint  ${fingerprint}\n`);
    print(`    ${fingerprintGroups(fingerprint).join(" ")}\n`);
    return;
  }
  using _held = holdStateDirectory(settings.stateDir);
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    await enrol({
      settings: { ...settings, token },
      log: createLog(settings.logLevel),
      client: clientFor(settings.certificateAuthority),
      restic: new ResticFinder(settings.restic),
      signal,
    });
  } catch (error) {
    if (!signal.aborted && !(error instanceof Unanswered)) throw error;
    throw new ServiceProblem(
      `${settings.server} did not answer within ${
        ANSWER_WITHIN_MS / 1000
      } s, so nothing was installed.`,
    );
  }
}
