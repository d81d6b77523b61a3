// `install`: this machine joins where it was given a token, and the agent becomes a service. Run again it is an upgrade:
// what the machine is to the server stays, unless a person gives a new token.
import { fingerprintGroups } from "../../shared/announce.ts";
import { isKnownBy, Unanswered } from "../ask_server.ts";
import { enrol } from "../enrol.ts";
import { makePrivateDirectory } from "../files.ts";
import { clientFor } from "../http_client.ts";
import { openIdentity } from "../identity.ts";
import { joinAgain } from "../join_again.ts";
import { messageOf, openLog } from "../../shared/log.ts";
import { ResticFinder } from "../restic/version.ts";
import { readAgentFile, saveAgentFile, type Settings, WrongSetting } from "../settings.ts";
import { holdStateDirectory } from "../single.ts";
import { takeOverState } from "../state_owner.ts";
import { tokenState, whatItIs } from "../token.ts";
import { protectFolder } from "./acl.ts";
import { NoServiceManager, type Service, ServiceProblem } from "./service.ts";

// What the service cannot find out by itself. Server and token go into agent.yaml.
const PASSED_ON = ["RM_RESTIC", "RM_LOG_LEVEL", "RM_LOG_FORMAT"];
const ANSWER_WITHIN_MS = 60_000;

export interface Installation {
  settings: Settings;
  service: Service;
  environment: (name: string) => string | undefined;
  print: (text: string) => void;
}

/**
 * Without a service manager the machine joins all the same, and what to run is said. False when a machine that is a host
 * already was given a token that the server refused: it stays what it was. Throws ServiceProblem, WrongSetting,
 * EnrolmentRefused or CorruptFile, each with its sentence.
 */
export async function install(installation: Installation): Promise<boolean> {
  const { settings, service } = installation;
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
  const given = { ...settings, server };
  const wasRunning = tokenState(given) === "new" && await stopped(service);
  try {
    const isTaken = await becomeHost(given, installation.print);
    await register(installation);
    return isTaken;
  } finally {
    // A machine that is backed up goes on with it, whatever became of the token.
    if (wasRunning && settings.bearer) await service.start();
  }
}

/** Lets go of the state directory; returns whether the service ran. */
async function stopped(service: Service): Promise<boolean> {
  const state = await service.state();
  if (state === "not installed" || state === "stopped") return false;
  await service.stop();
  return state !== "failing";
}

/** What the machine is to the server from now on. False when it stays what it was, against the input of who called. */
async function becomeHost(
  settings: Settings & { server: string },
  print: (text: string) => void,
): Promise<boolean> {
  const { configDir, server, token, bearer, stored } = settings;
  if (!bearer) {
    saveAgentFile(configDir, { server });
    await join(settings, print);
    return true;
  }
  const state = tokenState(settings);
  if (token && state === "new") return await takeToken({ ...settings, token }, print);
  if (state === "refused") {
    print(`The token was refused before. This machine stays ${whatItIs(settings)}.`);
    return false;
  }
  if (state === "used") print(`The token is the one by which this machine joined.`);
  if (stored?.server === server) return true;
  await refuseWhoDoesNotKnowIt(settings);
  saveAgentFile(configDir, { server });
  print(`This machine was ${whatItIs(settings)}; it goes to ${server} now, which knows it.`);
  return true;
}

async function takeToken(
  settings: Settings & { server: string; token: string },
  print: (text: string) => void,
): Promise<boolean> {
  using _held = holdStateDirectory(settings.stateDir);
  const log = openLog(settings);
  const again = await joinAgain({ ...asking(settings), settings, log });
  if (again.outcome === "joined") {
    const { host_id } = readAgentFile(settings.configDir);
    takeOverState(settings.stateDir, host_id, log);
    print(
      `This machine was ${whatItIs(settings)}; it is host ${host_id} of ${settings.server} now.`,
    );
    return true;
  }
  print(again.sentence);
  return false;
}

/** An address that was given to a machine that is enrolled: of its own server, which has moved, or of another one. */
async function refuseWhoDoesNotKnowIt(settings: Settings & { server: string }): Promise<void> {
  const { server } = settings;
  const stays = `This machine stays ${whatItIs(settings)}.`;
  const code = await isKnownBy(asking(settings), settings.bearer!).catch((error) => {
    throw new ServiceProblem(`${messageOf(error)} ${stays}`);
  });
  if (code) return;
  throw new ServiceProblem(
    `${server} does not know this machine. ${stays} To join it to ${server}, give a token of that server as RM_TOKEN; to let it wait for approval there, uninstall the agent first.`,
  );
}

async function register({ settings, service, environment, print }: Installation): Promise<void> {
  const { configDir, stateDir } = settings;
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

/** With a token now, while someone sees what the server says; without one the service asks, and a person approves. */
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
  const ask = asking(settings);
  try {
    await enrol({ ...ask, settings: { ...settings, token }, log: openLog(settings) });
  } catch (error) {
    if (!ask.signal.aborted && !(error instanceof Unanswered)) throw error;
    throw new ServiceProblem(
      `${settings.server} did not answer within ${
        ANSWER_WITHIN_MS / 1000
      } s, so nothing was installed.`,
    );
  }
}

function asking(settings: Settings & { server: string }) {
  return {
    settings,
    client: clientFor(settings.certificateAuthority),
    restic: new ResticFinder(settings.restic),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  };
}
